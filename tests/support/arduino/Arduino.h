// As much of Arduino as the sketch of docs/devices.md needs: time stands still but for loop(), publish() prints.
#pragma once
#include <cstdint>
#include <cstdio>
#include <string>
#define HEX 16
struct String {
    std::string s;
    String() {}
    String(const char *t) : s(t) {}
    String(std::string t) : s(t) {}
    String(int n) : s(std::to_string(n)) {}
    String(uint32_t n) : s(std::to_string(n)) {}
    String(uint32_t n, int base) { char b[20]; snprintf(b, 20, base == 16 ? "%x" : "%u", n); s = b; }
    const char *c_str() const { return s.c_str(); }
    String &operator+=(const String &o) { s += o.s; return *this; }
};
inline String operator+(const String &a, const String &b) { return String(a.s + b.s); }
inline uint32_t now_us = 0;
inline uint32_t micros() { return now_us; }
inline void delay(int) {}
inline uint32_t esp_random() { return 0x9f3a11c2u; }
inline int analogRead(int) { return 2048 + (now_us / 4000) % 7; }
