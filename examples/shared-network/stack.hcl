stack "shared-network" {
  description = "A network that other stacks build on"
  labels      = { team = "platform" }
}

variable "cidr" {
  type    = string
  default = "10.40.0.0/16"
}

variable "zones" {
  type        = number
  default     = 2
  description = "Zones with a subnet each; one more moves nobody."
}

cloud "aws" "main" {
  region      = "eu-west-1"
  credentials = "aws-demo"
}

terraform "network" {
  cloud           = cloud.aws.main
  source          = "modules/aws/network"
  inputs          = { name = "shared", cidr = var.cidr, zones = var.zones }
  prevent_destroy = false # true keeps every run from taking it away
}

output "private_subnet_ids" { value = terraform.network.outputs.private_subnet_ids }

output "security_group_id" { value = terraform.network.outputs.security_group_id }
