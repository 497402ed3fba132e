# Every AWS module, joined as a stack joins them.

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
}

module "network" {
  source = "./aws/network"

  name           = "payments"
  private_egress = true
  ingress        = [{ port = 443, cidrs = ["0.0.0.0/0"] }]
}

module "storage" {
  source = "./aws/object-storage"

  name = "payments-receipts"
}

module "compute" {
  source = "./aws/compute"

  name               = "web"
  image              = "amazon-linux-2023"
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [module.network.security_group_id]
}
