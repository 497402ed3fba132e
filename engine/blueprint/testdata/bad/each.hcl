stack "each" {}

variable "secret" {
  type      = string
  default   = "hush"
  sensitive = true
}

locals {
  of = each.key # ERROR: Unknown reference
}

cloud "aws" "eu" { region = "eu-west-1" }

terraform "list" {
  source   = "modules/local/greeting"
  for_each = ["a", "b"] # ERROR: Wrong type
  inputs   = { name = each.key }
}

terraform "key" {
  source   = "modules/local/greeting"
  for_each = toset(["a/b"]) # ERROR: Unusable key
  inputs   = { name = each.key }
}

terraform "secret" {
  source   = "modules/local/greeting"
  for_each = toset([var.secret]) # ERROR: Sensitive value
  inputs   = { name = each.key }
}

terraform "late" {
  source   = "modules/local/greeting"
  for_each = { a = terraform.one.outputs.message } # ERROR: Unusable reference
  inputs   = { name = each.value }
}

terraform "one" {
  source = "modules/local/greeting"
  inputs = { name = each.key } # ERROR: Unknown reference
}

terraform "region" {
  source   = "modules/local/greeting"
  for_each = { eu = "Europe", us = "America" }
  inputs   = { name = each.valeu } # ERROR: Unknown reference
}

terraform "cloudless" {
  source   = "modules/local/greeting"
  for_each = toset(["eu", "mars"])
  cloud    = cloud.aws[each.key] # ERROR: Unknown cloud
  inputs   = { name = each.key }
}

terraform "after" {
  source     = "modules/local/greeting"
  inputs     = { name = terraform.region["ue"].outputs.message } # ERROR: Unknown instance
  depends_on = [terraform.region["mars"]] # ERROR: Unknown instance
}

terraform "around" {
  source   = "modules/local/greeting"
  for_each = toset(["a", "b"])
  inputs   = { name = terraform.around["a"].outputs.message } # ERROR: Self reference
}

output "all" { value = terraform.region.outputs.message }        # ERROR: Incomplete reference
output "one" { value = terraform.region["eu"].outputs.mesage }   # ERROR: Unknown output
output "two" { value = terraform.region["eu"].message }          # ERROR: Incomplete reference
output "bad" { value = { for k, r in terraform.region : k => r.outputs.nothing } } # ERROR: Unsupported attribute
