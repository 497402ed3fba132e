stack "aws-web" {
  description = "A web tier on AWS: network, bucket, machines and what joins them"
  labels      = { team = "web" }

  drift {
    schedule = "@every 6h"
  }
}

variable "bucket" {
  type        = string
  default     = "cloudops-aws-web"
  description = "Name of the bucket, which nobody else in the world may have."
}

variable "machines" {
  type        = number
  default     = 1
  description = "Number of machines."
}

variable "fake_aws" {
  type        = bool
  default     = false
  description = "Whether the credentials point at a fake AWS, which has no host names for buckets."
}

cloud "aws" "main" {
  region            = "eu-west-1"
  credentials       = "aws-demo"
  s3_use_path_style = var.fake_aws
}

terraform "network" {
  cloud  = cloud.aws.main
  source = "modules/aws/network"
  inputs = { name = "web", cidr = "10.20.0.0/16" }
}

terraform "storage" {
  cloud  = cloud.aws.main
  source = "modules/aws/object-storage"
  inputs = { name = var.bucket, force_destroy = true }
}

terraform "machines" {
  cloud  = cloud.aws.main
  source = "modules/aws/compute"
  inputs = {
    name               = "web"
    instance_count     = var.machines
    image              = "amazon-linux-2023"
    subnet_ids         = terraform.network.outputs.private_subnet_ids
    security_group_ids = [terraform.network.outputs.security_group_id]
  }
}

terraform "web" {
  cloud  = cloud.aws.main
  source = "./web"
  inputs = {
    name              = "web"
    bucket_name       = terraform.storage.outputs.bucket_name
    security_group_id = terraform.network.outputs.security_group_id
    open_to           = terraform.network.outputs.cidr
  }
}

output "hosts" { value = terraform.machines.outputs.hosts }

output "bucket_url" { value = terraform.storage.outputs.url }

output "log_group" { value = terraform.web.outputs.log_group }
