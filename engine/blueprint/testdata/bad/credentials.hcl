stack "s" {}

variable "account" { default = "aws-payment" }

cloud "aws" "known" {
  region      = "eu-west-1"
  credentials = "aws-payments"
}

cloud "aws" "named" {
  region      = "eu-west-1"
  credentials = var.account # ERROR: Unknown credentials
}

cloud "gcp" "idle" {
  project     = "p"
  credentials = "nobody" # ERROR: Unknown credentials
}

terraform "a" {
  source = "modules/local/greeting"
  cloud  = cloud.aws.named
  inputs = { nme = "x" } # ERROR: Unknown input
}

cloud "aws" "another" {
  region      = "eu-west-1"
  credentials = "gcp-keyless" # ERROR: Wrong credentials
}

cloud "aws" "project" {
  region      = "eu-west-1"
  credentials = "billing.aws-payments" # ERROR: Unknown credentials
}

ansible "deploy" {
  for_each    = toset(["a", "b"])
  playbook    = "playbooks/web"
  credentials = "nobody" # ERROR: Unknown credentials

  inventory {
    group "web" { hosts = ["10.0.0.1"] }
  }
}
