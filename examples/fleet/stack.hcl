stack "fleet" {
  description = "The same network and bucket in several regions of AWS"
  labels      = { team = "platform" }

  drift {
    schedule = "@every 12h"
  }
}

variable "regions" {
  type        = map(object({ region = string, cidr = string }))
  description = "Where the fleet is; a key that goes takes what it made with it."
  default = {
    eu = { region = "eu-west-1", cidr = "10.30.0.0/16" }
    us = { region = "us-east-1", cidr = "10.31.0.0/16" }
    ap = { region = "ap-southeast-2", cidr = "10.32.0.0/16" }
  }
}

variable "prefix" {
  type        = string
  default     = "cloudops-fleet"
  description = "Beginning of the buckets' names, which nobody else in the world may have."
}

variable "fake_aws" {
  type    = bool
  default = false
}

cloud "aws" "eu" {
  region            = "eu-west-1"
  credentials       = "aws-demo"
  s3_use_path_style = var.fake_aws
}

cloud "aws" "us" {
  region            = "us-east-1"
  credentials       = "aws-demo"
  s3_use_path_style = var.fake_aws
}

cloud "aws" "ap" {
  region            = "ap-southeast-2"
  credentials       = "aws-demo"
  s3_use_path_style = var.fake_aws
}

terraform "network" {
  for_each = var.regions
  cloud    = cloud.aws[each.key]
  source   = "modules/aws/network"
  inputs   = { name = "fleet-${each.key}", cidr = each.value.cidr }
}

terraform "storage" {
  for_each = var.regions
  cloud    = cloud.aws[each.key]
  source   = "modules/aws/object-storage"
  inputs   = { name = "${var.prefix}-${each.key}", force_destroy = true }
}

output "networks" {
  value = { for key, network in terraform.network : key => network.outputs.network_id }
}

output "buckets" {
  value = { for key, storage in terraform.storage : key => storage.outputs.url }
}
