stack "payments" {
  description = "Card payments: web tier on AWS, ledger on Azure"
  labels      = { team = "payments", env = var.env }

  approval {
    approvals    = 1
    roles        = ["approver"]
    auto_approve = "no_changes"
    on_deferred  = "ask"
    expires      = "72h"
    class "destroy" {
      approvals = 2
      roles     = ["dba"]
    }
  }

  freeze {
    window "weekend" {
      from     = "Fri 16:00"
      to       = "Mon 07:00"
      timezone = "Europe/Zurich"
    }
    window "year-end" {
      from = "2026-12-18"
      to   = "2027-01-05"
    }
  }

  drift {
    schedule  = "0 */6 * * *"
    timezone  = "Europe/Zurich"
    remediate = "none"
    ignore    = ["terraform.network:aws_vpc.main.tags.LastSeen"]
  }
}

variable "env" {
  type    = string
  default = "prod"
  validation {
    condition     = contains(["dev", "prod"], var.env)
    error_message = "env is dev or prod."
  }
}

cloud "aws" "main" {
  region      = "eu-west-1"
  credentials = "aws-payments"
}

cloud "azure" "ledger" {
  location    = "westeurope"
  credentials = "azure-ledger"
}

terraform "network" {
  cloud  = cloud.aws.main
  source = "modules/aws/network"
  inputs = { name = "payments", cidr = "10.20.0.0/16" }
}

terraform "web" {
  cloud  = cloud.aws.main
  source = "./web"
  inputs = {
    subnet_ids = terraform.network.outputs.private_subnet_ids
    instances  = var.env == "prod" ? 3 : 1
  }
}

ansible "web" {
  playbook = "./playbooks/web.yml"
  inventory {
    group "web" {
      hosts = terraform.web.outputs.hosts
      vars  = { tier = "front" }
    }
  }
  vars = { db_url = terraform.ledger.outputs.url }
  ready {
    port    = 22
    timeout = "5m"
  }
  on_destroy = "./playbooks/decommission.yml"
}

terraform "ledger" {
  cloud      = cloud.azure.ledger
  source     = "./ledger"
  depends_on = [terraform.network]
  inputs     = { name = "ledger", sku = "B1ms" }
}

output "url" {
  value = terraform.web.outputs.url
}
