stack "self" {}

terraform "a" {
  source = "modules/local/greeting"
  inputs = { name = terraform.a.outputs.message } # ERROR: Self reference
}
