module "gone" {
  source = "../gone" # ERROR: Unknown module
}
