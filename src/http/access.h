#pragma once

// Who may ask: the token, and what guards a server without one from pages in the user's browser.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace headrace::http {

// In a time that does not depend on where the texts differ.
bool constant_time_equal(std::string_view a, std::string_view b);

// True for localhost, 127.0.0.0/8 and ::1, with or without a port: "localhost:8642", "[::1]:80".
bool is_loopback_host(std::string_view host);

// The answer to a request that may not pass; nullopt for one that may. With a token (not empty) all
// must carry it but those for `open_paths`. Without one the Host must be loopback and an Origin,
// which browsers send for pages of other sites, must be loopback, too: a foreign page must reach us
// neither by a cross-site request nor by a name that it lets point to 127.0.0.1.
std::optional<Response> refuse_access(std::string_view token,
                                      const std::vector<std::string>& open_paths,
                                      std::string_view target, const Headers& headers);

}  // namespace headrace::http
