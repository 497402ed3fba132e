stack "payments" {
  description = "Card payments: receipts and secrets on AWS, the ledger on Azure"
  labels      = { team = "payments", env = var.env }

  approval {
    approvals    = var.env == "prod" ? 2 : 0 # in production by two people other than who started the run
    roles        = ["approver", "admin"]
    auto_approve = "no_changes"
    on_deferred  = "ask" # the secret can be planned only once the ledger is there
    expires      = "72h"
  }

  drift {
    schedule  = "0 */6 * * *"
    timezone  = "Europe/Zurich"
    remediate = "plan"
  }
}

variable "env" {
  type    = string
  default = "dev"

  validation {
    condition     = contains(["dev", "prod"], var.env)
    error_message = "env is dev or prod."
  }
}

variable "prefix" {
  type        = string
  default     = "cloudops-payments"
  description = "Beginning of names that nobody else in the world may have."
}

variable "on_call" {
  type        = list(string)
  default     = []
  description = "Who gets a mail when payments fail."
}

variable "fake_aws" {
  type    = bool
  default = false
}

locals {
  tags = { env = var.env, data = "cardholder" }
}

cloud "aws" "main" {
  region            = "eu-west-1"
  credentials       = "aws-demo"
  s3_use_path_style = var.fake_aws
  tags              = local.tags
}

cloud "azure" "ledger" {
  location    = "westeurope"
  credentials = "azure-ledger"
}

terraform "receipts" {
  cloud  = cloud.aws.main
  source = "modules/aws/object-storage"
  inputs = { name = "${var.prefix}-receipts-${var.env}", force_destroy = var.env != "prod" }

  prevent_destroy = var.env == "prod"
}

terraform "logs" {
  cloud  = cloud.aws.main
  source = "modules/aws/logging-and-alerts"
  inputs = {
    name         = "payments-${var.env}"
    alert_emails = var.on_call
    log_patterns = { declined = { pattern = "payment declined", threshold = 10 } }
  }

  prevent_destroy = var.env == "prod"
}

terraform "ledger_network" {
  cloud  = cloud.azure.ledger
  source = "modules/azure/network"
  inputs = { name = "ledger-${var.env}", cidr = "10.60.0.0/16", location = cloud.azure.ledger.location, tags = local.tags }
}

terraform "ledger" {
  cloud  = cloud.azure.ledger
  source = "modules/azure/database"
  inputs = {
    name                = "ledger-${var.env}"
    location            = cloud.azure.ledger.location
    network_id          = terraform.ledger_network.outputs.network_id
    subnet_ids          = terraform.ledger_network.outputs.private_subnet_ids
    deletion_protection = var.env == "prod"
    high_availability   = var.env == "prod"
    size                = var.env == "prod" ? "medium" : "small"
    backup_days         = var.env == "prod" ? 35 : 7
    tags                = local.tags
  }
  prevent_destroy = var.env == "prod"
}

# What of the ledger the payment service on AWS has to know, kept as a secret there.
terraform "ledger_url" {
  cloud  = cloud.aws.main
  source = "modules/aws/secret"
  inputs = { name = "payments/${var.env}/ledger-url", value = terraform.ledger.outputs.url }
}

output "receipts" { value = terraform.receipts.outputs.url }

output "ledger_secret" { value = terraform.ledger_url.outputs.secret_id }
