#pragma once

// Integers in network byte order, as Kafka writes them. Private to this module.

#include <concepts>
#include <cstring>

namespace headrace::stream {

template <std::integral T>
T load_big_endian(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof(T) == 8)
    return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  if constexpr (sizeof(T) == 4)
    return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  if constexpr (sizeof(T) == 2)
    return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  return value;
}

template <std::integral T>
void store_big_endian(char* into, T value) {
  const T swapped = load_big_endian<T>(reinterpret_cast<const char*>(&value));
  std::memcpy(into, &swapped, sizeof swapped);
}

}  // namespace headrace::stream
