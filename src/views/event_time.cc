#include "views/event_time.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "views/view_query.h"

namespace headrace::views {
namespace {

std::optional<int64_t> later(std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::max(*a, *b);
}

std::optional<int64_t> earlier_by(std::optional<int64_t> time_us, milliseconds by) {
  if (!time_us) return std::nullopt;
  return *time_us - std::chrono::microseconds(by).count();
}

Json or_null(std::optional<int64_t> value) { return value ? Json(*value) : Json(nullptr); }

std::optional<int64_t> integer_or_null(const Json& json, std::string_view name) {
  const Json* value = find_member(json, name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return value->as_int64();
}

}  // namespace

EventTime EventTime::from_summary(const lake::Summary& summary) {
  const auto found = summary.find(kEventTimeKey);
  if (found == summary.end()) return {};
  try {
    const Json json = parse_json(found->second, kEventTimeKey);
    return {integer_or_null(json, "watermark_us"), integer_or_null(json, "closed_until_us"),
            member(json, "late_changes").as_int64(), integer_or_null(json, "open_since_us")};
  } catch (const std::exception& error) {
    fail(ErrorKind::kCorrupt, "the summary entry {} of a view's table cannot be read: {}",
         kEventTimeKey, error.what());
  }
}

std::string EventTime::to_text() const {
  JsonObject json = {{"watermark_us", or_null(watermark_us)},
                     {"closed_until_us", or_null(closed_until_us)},
                     {"late_changes", late_changes}};
  if (open_since_us) json["open_since_us"] = *open_since_us;
  return headrace::to_text(Json(std::move(json)));
}

EventTime EventTime::after(const Closing& closing, std::optional<int64_t> newest_us,
                           int64_t late) const {
  if (!closing.watermark) return *this;
  EventTime next = *this;
  next.watermark_us = later(watermark_us, earlier_by(newest_us, *closing.watermark));
  next.closed_until_us =
      later(closed_until_us, earlier_by(next.watermark_us, closing.allowed_lateness));
  next.late_changes += late;
  return next;
}

void check_closing(const ViewQuery& query, const Closing& closing) {
  if (!closing.watermark || query.window()) return;
  fail(
      ErrorKind::kInvalid,
      "a view with a watermark needs one window among its keys that can close: tumble(time, size), "
      "hop(time, slide, size), or a single time_bucket(size, time) or date_trunc('hour', time)");
}

}  // namespace headrace::views
