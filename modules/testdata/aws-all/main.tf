# Every AWS module and the own module of examples/aws-web, joined as its stack
# joins them.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region            = "eu-west-1"
  access_key        = "test"
  secret_key        = "test"
  s3_use_path_style = true

  default_tags {
    tags = { "cloudops:stack" = "payments" }
  }
}

module "network" {
  source = "./aws/network"

  name           = "payments"
  private_egress = true
  ingress        = [{ port = 443, cidrs = ["0.0.0.0/0"] }]
}

module "storage" {
  source = "./aws/object-storage"

  name          = "payments-receipts"
  force_destroy = true
}

module "compute" {
  source = "./aws/compute"

  name               = "web"
  image              = "amazon-linux-2023"
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [module.network.security_group_id]
}

module "web" {
  source = "./web"

  name              = "web"
  bucket_name       = module.storage.bucket_name
  security_group_id = module.network.security_group_id
  open_to           = module.network.cidr
}
