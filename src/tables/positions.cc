#include "tables/positions.h"

#include "base/error.h"

namespace headrace::tables {

std::vector<stream::Offset> Positions::topic(const std::string& name) const {
  std::vector<stream::Offset> offsets;
  if (const Json* found = input("topic:" + name)) {
    for (const Json& offset : found->as_array()) offsets.push_back(offset.to_number<int64_t>());
  }
  return offsets;
}

void Positions::set_topic(const std::string& name, std::vector<stream::Offset> next_offsets) {
  JsonArray offsets;
  for (const stream::Offset offset : next_offsets) offsets.push_back(offset);
  set_input("topic:" + name, std::move(offsets));
}

const Json* Positions::input(const std::string& name) const {
  const auto found = inputs_.find(name);
  return found == inputs_.end() ? nullptr : &found->second;
}

void Positions::set_input(const std::string& name, Json position) {
  inputs_[name] = std::move(position);
}

std::string Positions::to_text() const {
  JsonObject object;
  for (const auto& [name, position] : inputs_) object[name] = position;
  return headrace::to_text(object);
}

Positions Positions::from_text(const std::string& text) {
  try {
    Positions positions;
    const Json json = parse_json(text, "positions");
    for (const auto& [name, position] : json.as_object()) {
      if (name.starts_with("topic:")) {
        for (const Json& offset : position.as_array()) offset.to_number<int64_t>();
      }
      positions.inputs_[name] = position;
    }
    return positions;
  } catch (const std::exception& error) {
    fail(ErrorKind::kCorrupt, "the positions in a snapshot's summary do not parse ({}): {}",
         error.what(), text);
  }
}

}  // namespace headrace::tables
