#pragma once

// Finds the handler of a request by method and path. GET routes answer HEAD, too; OPTIONS is
// answered with the methods of the path; an unknown path is 404, a wrong method 405 with Allow.
//
// Life cycle: add all routes, then use it. Thread use: handle() from any thread.

#include <string>
#include <string_view>
#include <vector>

#include "http/handler.h"

namespace headrace::http {

class Router final : public Handler {
 public:
  // Pattern: "/v1/topics/{topic}/records"; a name in braces stands for one segment that is not
  // empty. Where two patterns match, the one with the earlier literal segment wins.
  void add(std::string_view method, std::string_view pattern, HandlerFunction handler);
  void handle(Request request, Responder respond) override;

 private:
  struct Segment {
    std::string text;  // the literal, or the parameter's name
    bool is_parameter = false;
  };
  struct Route {
    std::string method;
    std::string pattern;
    std::vector<Segment> segments;
    HandlerFunction handler;
  };
  static bool matches(const Route& route, const std::vector<std::string>& path);
  static bool is_more_literal(const Route& a, const Route& b);
  std::vector<const Route*> candidates(const std::vector<std::string>& path) const;
  std::vector<Route> routes_;
};

}  // namespace headrace::http
