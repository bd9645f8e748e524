#pragma once
#include "Arduino.h"
#define WL_CONNECTED 3
struct WiFiClient {};
struct { void begin(const char *, const char *) {} int status() { return WL_CONNECTED; } } WiFi;
