# The same on each cloud, so that a record is called the same wherever it is.
locals {
  records    = { for r in var.records : "${r.name} ${r.type}" => r }
  full_names = { for key, r in local.records : key => r.name == "@" ? var.name : "${r.name}.${var.name}" }
}
