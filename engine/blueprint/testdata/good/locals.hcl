stack "locals" {}

variable "zones" {
  type = map(object({
    bits   = number
    public = optional(bool, false)
  }))
  default = { a = { bits = 8 } }
}

locals {
  name    = "${local.prefix}-net"
  prefix  = join("-", ["a", "b"])
  ids     = terraform.network.outputs.private_subnet_ids
  network = { name = local.name, cidr = cidrsubnet("10.0.0.0/8", 8, 1), zones = keys(var.zones) }
}

cloud "aws" "main" {
  region = "eu-west-1"
  tags   = { team = "x" }
  assume_role {
    role_arn = "arn:aws:iam::1:role/r"
  }
}

terraform "network" {
  cloud  = cloud.aws.main
  source = "modules/aws/network"
  inputs = merge(local.network, { subnets = var.zones, zones = ["${cloud.aws.main.region}a"] })
}

terraform "web" {
  source = "./web"
  inputs = { subnet_ids = [for id in local.ids : upper(id)] }
}

terraform "greeting" {
  source     = "modules/local/greeting"
  depends_on = [ansible.setup]
}

ansible "setup" {
  playbook = "playbooks/baseline"
  vars     = { all = terraform.web.outputs, text = templatefile("hello.tmpl", { name = "x" }) }
}
