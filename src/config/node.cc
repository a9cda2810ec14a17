#include "config/node.h"

#include <algorithm>

#include "base/format.h"
#include "config/scalar.h"
#include "config/tree.h"

namespace headrace::config {

namespace {

const std::shared_ptr<const Tree>& absent_tree() {
  static const std::shared_ptr<const Tree> tree = [] {
    auto made = std::make_shared<Tree>();
    made->nodes.emplace_back();
    return made;
  }();
  return tree;
}

Json scalar_json(const std::string& text, bool quoted) {
  if (quoted) return Json(text);
  if (is_null_text(text)) return nullptr;
  if (const auto value = parse_boolean(text)) return *value;
  if (const auto value = parse_integer(text)) return *value;
  if (const auto value = parse_number(text)) return *value;
  return Json(text);
}

Json tree_json(const TreeNode& node, bool written) {
  switch (node.kind) {
    case NodeKind::kNull:
    case NodeKind::kBroken:
      return nullptr;
    case NodeKind::kScalar:
      return scalar_json(written && !node.written.empty() ? node.written : node.text, node.quoted);
    case NodeKind::kList: {
      JsonArray list;
      for (const TreeNode* child : node.children) list.push_back(tree_json(*child, written));
      return list;
    }
    case NodeKind::kMap: {
      JsonObject map;
      for (const TreeNode* child : node.children) map[child->key] = tree_json(*child, written);
      return map;
    }
  }
  return nullptr;
}

bool is_plain_key(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return c > ' ' && c != '.' && c != '[' && c != ']' && c != '\'' && c != 0x7F;
  });
}

std::string step(const TreeNode& node) {
  if (node.parent->kind == NodeKind::kList) return format("[{}]", node.index);
  if (is_plain_key(node.key)) return "." + node.key;
  return "['" + node.key.substr(0, 100) + "']";
}

}  // namespace

Node::Node() : tree_(absent_tree()), node_(&tree_->nodes.front()) {}
Node::Node(std::shared_ptr<const Tree> tree, const TreeNode* node)
    : tree_(std::move(tree)), node_(node) {}

NodeKind Node::kind() const { return node_->kind; }
const std::string& Node::text() const { return node_->text; }
const std::string& Node::written_text() const {
  return node_->written.empty() ? node_->text : node_->written;
}
bool Node::is_quoted() const { return node_->quoted; }

size_t Node::size() const { return node_->children.size(); }
Node Node::operator[](size_t index) const { return Node(tree_, node_->children.at(index)); }

std::vector<Node> Node::elements() const {
  std::vector<Node> list;
  for (const TreeNode* child : node_->children) list.emplace_back(tree_, child);
  return list;
}

std::vector<std::pair<std::string, Node>> Node::entries() const {
  std::vector<std::pair<std::string, Node>> list;
  if (!is_map()) return list;
  for (const TreeNode* child : node_->children) list.emplace_back(child->key, Node(tree_, child));
  return list;
}

std::vector<std::string> Node::keys() const {
  std::vector<std::string> list;
  if (!is_map()) return list;
  for (const TreeNode* child : node_->children) list.push_back(child->key);
  return list;
}

std::optional<Node> Node::find(std::string_view key) const {
  if (!is_map()) return std::nullopt;
  for (const TreeNode* child : node_->children) {
    if (child->key == key) return Node(tree_, child);
  }
  return std::nullopt;
}

Node Node::find_or_self(std::string_view key) const { return find(key).value_or(*this); }

const std::string& Node::file() const { return tree_->file; }

std::string Node::path() const {
  std::vector<const TreeNode*> way;
  for (const TreeNode* at = node_; at->parent != nullptr; at = at->parent) way.push_back(at);
  std::string path;
  for (auto at = way.rbegin(); at != way.rend(); ++at) path += step(**at);
  return path.starts_with('.') ? path.substr(1) : path;
}

std::string Node::key() const {
  if (node_->parent == nullptr) return "";
  return node_->parent->kind == NodeKind::kList ? format("[{}]", node_->index) : node_->key;
}

int Node::line() const { return node_->line; }
int Node::column() const { return node_->column; }
int Node::key_line() const { return node_->key_line > 0 ? node_->key_line : node_->line; }
int Node::key_column() const { return node_->key_line > 0 ? node_->key_column : node_->column; }

Json Node::to_json() const { return tree_json(*node_, false); }
Json Node::to_written_json() const { return tree_json(*node_, true); }

std::string describe(const Node& node) {
  switch (node.kind()) {
    case NodeKind::kNull:
      return "nothing";
    case NodeKind::kList:
      return "a list";
    case NodeKind::kMap:
      return "a map";
    case NodeKind::kBroken:
      return "something unreadable";
    case NodeKind::kScalar:
      break;
  }
  const std::string& text = node.written_text();
  return text.size() <= 60 ? "'" + text + "'" : "'" + text.substr(0, 57) + "…'";
}

}  // namespace headrace::config
