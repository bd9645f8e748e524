"""Made-up rhythms: drawn at random, and carried out on the beats of a record."""
