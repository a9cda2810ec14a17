#pragma once

// A string that must not be shown: it prints as ***, and only reveal() gives it out.

#include <string>
#include <utility>

namespace headrace::config {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
};

inline std::string to_text(const Secret& secret) { return secret.empty() ? "" : "***"; }

}  // namespace headrace::config
