stack "reader" {}

variable "which" { default = "shared-network" }

upstream "shared" {
  stack   = "shared-network"
  trigger = true
}

upstream "ghost" {} # ERROR: Unknown stack

upstream "odd" {
  stack = "Odd Name" # ERROR: Unusable stack name
}

upstream "me" {
  stack = "reader" # ERROR: Self reference
}

upstream "ring" {} # ERROR: Cycle

upstream "twice" { stack = var.which }
upstream "twice" { stack = var.which } # ERROR: Duplicate upstream

upstream "late" {
  stack   = var.which
  trigger = var.which # ERROR: Variables not allowed
}

terraform "a" {
  source = "modules/local/greeting"
  inputs = { name = upstream.shared.outputs.vpc_ip } # ERROR: Unknown output
}

terraform "b" {
  source = "modules/local/greeting"
  inputs = { name = upstream.sharde.outputs.vpc_id } # ERROR: Unknown upstream
}

terraform "c" {
  source = "modules/local/greeting"
  inputs = { name = upstream.shared.vpc_id } # ERROR: Incomplete reference
}

terraform "d" {
  source   = "modules/local/greeting"
  for_each = toset([upstream.shared.outputs.vpc_id]) # ERROR: Unusable reference
  inputs   = { name = each.key }
}

output "all" { value = upstream.shared.outputs } # ERROR: Incomplete reference
