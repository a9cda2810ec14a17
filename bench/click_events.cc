#include "click_events.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace headrace::bench {
namespace {

constexpr int64_t kSpanS = 3 * 86400;
constexpr uint64_t kUsers = 200000;

constexpr std::array<const char*, 5> kReferrers{"", "https://g.co", "https://t.co/x",
                                                "https://bing.com", "https://ad.ly/7"};
constexpr std::array<const char*, 6> kAgents{"Chrome/125", "Safari/17", "Firefox/126",
                                             "Edge/125",   "bot/1.0",   "iOS/17"};

struct Share {
  const char* country;
  int parts;
};

constexpr std::array<Share, 16> kCountries{{{"US", 30},
                                            {"GB", 8},
                                            {"DE", 8},
                                            {"FR", 6},
                                            {"IN", 12},
                                            {"BR", 7},
                                            {"JP", 5},
                                            {"CA", 5},
                                            {"AU", 3},
                                            {"NL", 3},
                                            {"ES", 3},
                                            {"IT", 3},
                                            {"SE", 2},
                                            {"PL", 2},
                                            {"MX", 2},
                                            {"KR", 1}}};

template <class Container>
const auto& pick(const Container& container, uint64_t draw) {
  return container[draw % container.size()];
}

// Times are from 1 June 2024 on.
std::string time_text(int64_t second) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "2024-06-%02dT%02d:%02d:%02d",
                static_cast<int>(1 + second / 86400), static_cast<int>(second / 3600 % 24),
                static_cast<int>(second / 60 % 60), static_cast<int>(second % 60));
  return text.data();
}

void append_hex(std::string& out, uint64_t value, int digits) {
  constexpr const char* kDigits = "0123456789abcdef";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out += kDigits[(value >> static_cast<unsigned>(shift)) & 15U];
  }
}

void append_milliseconds(std::string& out, uint64_t value) {
  out += static_cast<char>('0' + value / 100);
  out += static_cast<char>('0' + value / 10 % 10);
  out += static_cast<char>('0' + value % 10);
}

void append_uuid(std::string& out, uint64_t high, uint64_t low) {
  append_hex(out, high >> 32U, 8);
  out += '-';
  append_hex(out, (high >> 16U) & 0xffffU, 4);
  out += '-';
  append_hex(out, high & 0xffffU, 4);
  out += '-';
  append_hex(out, low >> 48U, 4);
  out += '-';
  append_hex(out, low & 0xffffffffffffU, 12);
}

}  // namespace

ClickEvents::ClickEvents(int64_t count, double broken_share)
    : count_(count), broken_share_(broken_share) {
  for (const Share& share : kCountries) {
    countries_.insert(countries_.end(), static_cast<size_t>(share.parts), share.country);
  }
  paths_ = {"/", "/home", "/cart", "/checkout", "/search", "/help", "/login"};
  for (int i = 0; i < 500; ++i) {
    paths_.push_back("/p/" + std::to_string(i));
  }
  for (const auto& [status, parts] : {std::pair{200, 90}, {301, 3}, {404, 4}, {500, 2}, {503, 1}}) {
    statuses_.insert(statuses_.end(), static_cast<size_t>(parts), status);
  }
}

int64_t ClickEvents::second_of(int64_t index) {
  const auto even =
      static_cast<int64_t>(static_cast<double>(index * kSpanS) / static_cast<double>(count_));
  return std::max<int64_t>(0, even - static_cast<int64_t>(random_.fraction() * 30));
}

void ClickEvents::append_next(std::string& lines) {
  enum Fault : int8_t { kCutShort, kNegativeUser, kBadTime, kNegativeLatency, kNone };

  std::string time = time_text(second_of(index_++));
  const uint64_t id_low = random_.bits64();
  const uint64_t id_high = random_.bits64();
  const uint64_t draw = random_.bits64();
  const bool broken = random_.fraction() < broken_share_;
  const Fault fault = broken ? static_cast<Fault>(++broken_ % 4) : kNone;

  lines += R"({"event_id":")";
  if (fault == kCutShort) {
    append_hex(lines, id_high, 16);
    append_hex(lines, id_low, 16);
    lines.append(R"(","ts":")").append(time).append("Z\",\"user_id\":\n");
    return;
  }
  if (fault == kBadTime) {
    time = "not-a-time";
  }
  const uint64_t user = draw % kUsers;
  append_uuid(lines, id_high, id_low);
  lines.append(R"(","ts":")").append(time) += '.';
  append_milliseconds(lines, (draw >> 30U) % 1000);
  lines.append(R"(Z","user_id":)").append(fault == kNegativeUser ? "-1" : std::to_string(user));
  lines.append(R"(,"country":")").append(pick(countries_, draw >> 40U));
  lines.append(R"(","url":")").append(pick(paths_, draw >> 47U));
  lines.append(R"(","referrer":")").append(pick(kReferrers, draw >> 20U));
  lines.append(R"(","user_agent":")").append(pick(kAgents, draw >> 25U));
  lines.append(R"(","latency_ms":)");
  lines.append(fault == kNegativeLatency ? "-5" : std::to_string((draw >> 18U) % 1000));
  lines.append(R"(,"status":)").append(std::to_string(pick(statuses_, draw >> 33U)));
  lines.append(R"(,"email":"u)").append(std::to_string(user));
  lines.append("@ex").append(std::to_string(user % 50)).append(".com\"}\n");
}

}  // namespace headrace::bench
