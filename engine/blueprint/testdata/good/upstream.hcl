stack "app" {}

upstream "shared" {
  stack   = "shared-network"
  trigger = true
}

locals {
  network = upstream.shared.outputs.vpc_id
}

terraform "web" {
  source = "modules/local/greeting"
  inputs = { name = local.network }
}

output "network" { value = upstream.shared.outputs.vpc_id }
output "zone" { value = upstream.shared.outputs.zone }
