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

module "database" {
  source = "./aws/database"

  name                = "payments"
  network_id          = module.network.network_id
  subnet_ids          = module.network.private_subnet_ids
  allowed_cidrs       = [module.network.cidr]
  deletion_protection = false
}

module "function" {
  source = "./aws/function"

  name       = "receipts"
  runtime    = "python3.12"
  handler    = "main.handle"
  source_zip = "./aws/function/tests/receipts.zip"
  public     = true
}

module "dns" {
  source = "./aws/dns"

  name    = "example.com"
  records = [{ name = "db", type = "CNAME", values = [module.database.host] }, { name = "@", type = "TXT", values = ["v=spf1 -all"] }]
}

module "internal" {
  source = "./aws/dns"

  name        = "payments.internal"
  private     = true
  network_ids = [module.network.network_id]
}

module "secret" {
  source = "./aws/secret"

  name    = "payments-database"
  value   = module.database.url
  readers = [module.function.role_id]
}

module "logging" {
  source = "./aws/logging-and-alerts"

  name         = "payments"
  alert_emails = ["ops@example.com"]
  log_patterns = { errors = { pattern = "ERROR", threshold = 10 } }
}
