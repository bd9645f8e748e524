"""amqtt with one fault worked around: nobody is sent retained messages that they have not subscribed to."""

from __future__ import annotations

from amqtt.broker import Broker
from amqtt.session import Session


class EmbeddedBroker(Broker):  # type: ignore[misc]  # amqtt has no types
    """amqtt (0.12.1) sends a client that connects the retained messages of everybody's subscriptions: a subscriber of
    any topic hears the statuses of all beds first. Here each hears those of its own subscriptions alone.
    """

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        subscribers = self._subscriptions.get(subscription[0], [])
        if any(subscriber is session for subscriber, _ in subscribers):
            await super()._publish_retained_messages_for_subscription(subscription, session)
