stack "references" {
  description = terraform.network.outputs.network_id # ERROR: Unusable reference
  labels      = { env = var.evn }                    # ERROR: Unknown variable
}

variable "env" {
  default = "dev"
}

variable "secret" {
  default   = "hunter2"
  sensitive = true
}

locals {
  a    = local.b
  b    = local.c
  c    = local.a # ERROR: Cycle
  fine = terraform.network.outputs.netwrk_id # ERROR: Unknown output
}

locals {
  c = 1 # ERROR: Duplicate local value
}

cloud "aws" "main" {
  region    = terraform.network.outputs.network_id # ERROR: Unusable reference
  endpoints = {}                                   # ERROR: Setting not taken
  location  = "x"                                  # ERROR: Setting not taken
}

cloud "asw" "main" {} # ERROR: Unknown cloud

cloud "gcp" "main" {
  project = var.secret # ERROR: Sensitive value
}

terraform "network" {
  cloud  = cloud.aws.mian # ERROR: Unknown cloud
  source = "modules/aws/network"
  inputs = {
    name = local.fnie # ERROR: Unknown local value
    cidr = web.outputs.url # ERROR: Unknown reference
  }
}

terraform "web" {
  cloud      = "aws" # ERROR: Unusable reference
  source     = "./web"
  depends_on = [terraform.netwrk] # ERROR: Unknown component
  inputs = {
    subnet_ids = terraform.network.outputs.private_subnet_id # ERROR: Unknown output
    instances  = terraform.netwrok.outputs.count             # ERROR: Unknown component
    password   = terraform.network.password                  # ERROR: Incomplete reference
  }
}

ansible "web" {
  playbook = "./playbooks/web.yml"
  vars = {
    a = each.key          # ERROR: Unknown reference
    b = ansible.web.done  # ERROR: Unknown reference
    c = uper("x")         # ERROR: Call to unknown function
    d = timestamp()       # ERROR: Error in function call
    e = file("../passwd") # ERROR: Error in function call
    f = local.a
    g = terraform # ERROR: Incomplete reference
  }
}
