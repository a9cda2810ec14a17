#include "lake/avro_value.h"

#include "base/error.h"

namespace headrace::lake {

const AvroValue& AvroValue::field(int field_id) const {
  static const AvroValue absent;
  const AvroRecord& fields = record();
  const int index = fields.schema == nullptr ? -1 : fields.schema->field_index(field_id);
  return index < 0 ? absent : fields.values.at(static_cast<size_t>(index));
}

void AvroValue::wrong_type(std::string_view wanted) {
  fail(ErrorKind::kCorrupt, "reading an Avro value: it is not the {} that Iceberg asks for here",
       wanted);
}

}  // namespace headrace::lake
