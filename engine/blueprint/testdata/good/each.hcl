stack "fleet" {}

variable "regions" {
  type    = map(object({ name = string, cloud = string }))
  default = {
    eu = { name = "Europe", cloud = "eu" }
    us = { name = "America", cloud = "us" }
  }
}

locals {
  greeting = "Hello, "
}

cloud "aws" "eu" { region = "eu-west-1" }
cloud "aws" "us" { region = "us-east-1" }

terraform "region" {
  for_each = var.regions
  cloud    = cloud.aws[each.value.cloud]
  source   = "modules/local/greeting"
  inputs   = { name = "${local.greeting}${each.value.name}" }
}

terraform "app" {
  for_each = var.regions
  source   = "modules/local/greeting"
  inputs   = { name = terraform.region[each.key].outputs.message }
}

terraform "one" {
  source = "modules/local/greeting"
  inputs = { name = terraform.region["us"].outputs.message }
}

terraform "sum" {
  source     = "modules/local/greeting"
  inputs     = { name = join(", ", [for k, r in terraform.region : "${k}: ${r.outputs.message}"]) }
  depends_on = [terraform.app]
}

terraform "none" {
  for_each = toset([])
  source   = "modules/local/greeting"
  inputs   = { name = each.key }
}

output "messages" { value = { for k, r in terraform.region : k => r.outputs.message } }
output "nothing" { value = keys(terraform.none) }
