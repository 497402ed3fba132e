stack "aws-web" {
  description = "A web tier on AWS: network, bucket, machines with a web server, and what joins them"
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
  description = "Number of machines: cloudops scale aws-web terraform.machines instance_count=2"

  scale {
    min = 1
    max = 4
  }
}

variable "worker" {
  type        = string
  default     = ""
  description = "Address block that the worker comes from. The machines then have public addresses, and are configured over SSH."
}

variable "ssh_public_key" {
  type        = string
  default     = null
  description = "Public half of the key in the credentials web-ssh."
}

variable "stand_in" {
  default     = {}
  description = "Address, port and user of an SSH server that stands in for the machines of a fake AWS."
}

variable "web" {
  default     = {}
  description = "More variables for the web server's playbook."
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
  inputs = {
    name    = "web"
    cidr    = "10.20.0.0/16"
    ingress = var.worker == "" ? [] : [{ port = 22, cidrs = [var.worker] }, { port = 80, cidrs = ["0.0.0.0/0"] }]
  }
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
    public             = var.worker != ""
    ssh_public_key     = var.ssh_public_key
    subnet_ids         = var.worker == "" ? terraform.network.outputs.private_subnet_ids : terraform.network.outputs.public_subnet_ids
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

# Machines that nobody can reach are left as they are.
ansible "web" {
  for_each    = toset(var.worker != "" || length(var.stand_in) > 0 ? ["machines"] : [])
  playbook    = "playbooks/web"
  credentials = "web-ssh"

  inventory {
    group "web" {
      hosts = [for host in terraform.machines.outputs.hosts : merge(host, var.stand_in)]
    }
  }

  vars = merge({ web_title = "aws-web", web_message = "Files are in ${terraform.storage.outputs.url}" }, var.web)

  ready {
    timeout = "5m"
  }
}

output "hosts" { value = terraform.machines.outputs.hosts }

output "bucket_url" { value = terraform.storage.outputs.url }

output "log_group" { value = terraform.web.outputs.log_group }
