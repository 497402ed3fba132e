variable "name" {
  description = "Beginning of the names of the machines, which end in their number."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name must have 2 to 40 lowercase letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "instance_count" {
  description = "Number of machines."
  type        = number
  default     = 1

  validation {
    condition     = var.instance_count >= 0 && var.instance_count <= 100 && floor(var.instance_count) == var.instance_count
    error_message = "instance_count must be a whole number from 0 to 100."
  }
}

variable "image" {
  description = "What the machines start from: ubuntu-24.04, debian-12 or the cloud's own image identifier."
  type        = string
  default     = "ubuntu-24.04"

  validation {
    condition     = contains(["ubuntu-24.04", "debian-12"], var.image) || can(regex("^[^:/]+:[^:]+:[^:]+:[^:]+$", var.image)) || can(regex("^/subscriptions/.+$", var.image))
    error_message = "image must be ubuntu-24.04, debian-12 or an image such as Canonical:ubuntu-24_04-lts:server:latest or the identifier of one."
  }
}

variable "size" {
  description = "How large the machines are: small, medium, large, xlarge or the cloud's own name of a size."
  type        = string
  default     = "small"

  validation {
    condition     = contains(["small", "medium", "large", "xlarge"], var.size) || can(regex("^(Standard|Basic)_[A-Za-z0-9_]+$", var.size))
    error_message = "size must be small, medium, large, xlarge or a size such as Standard_D4s_v5."
  }
}

variable "disk_gb" {
  description = "Size of the system disk in GB; 30 at least, because images of Azure have that."
  type        = number
  default     = 20

  validation {
    condition     = var.disk_gb >= 8 && var.disk_gb <= 4095
    error_message = "disk_gb must be from 8 to 4095."
  }
}

variable "subnet_ids" {
  description = "Subnets to spread the machines over, as a network module puts them out."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids must name at least one subnet."
  }
}

variable "security_group_ids" {
  description = "Security group of the machines, one at most; [] for that of their subnet alone."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.security_group_ids) <= 1
    error_message = "security_group_ids must name one security group at most: Azure has one for each machine."
  }
}

variable "public" {
  description = "Whether the machines have public addresses."
  type        = bool
  default     = false
}

variable "user" {
  description = "Who Ansible logs in as; null for azureuser."
  type        = string
  default     = null

  validation {
    condition     = var.user == null || !contains(["root", "admin", "administrator", "user", "test"], coalesce(var.user, "azureuser"))
    error_message = "user must not be root, admin, administrator, user or test, which Azure refuses."
  }
}

variable "ssh_public_key" {
  description = "Public key that may log in; needed where there are machines."
  type        = string
  default     = null

  validation {
    condition     = var.ssh_public_key == null || can(regex("^(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]+", var.ssh_public_key))
    error_message = "ssh_public_key must be a public key in OpenSSH's form, as in: ssh-ed25519 AAAA... ada@example.com."
  }
}

variable "resource_group_name" {
  description = "Resource group that everything is put in; null for one of its own, named after name."
  type        = string
  default     = null
}

variable "location" {
  description = "Where everything is, such as westeurope; null for where the resource group is, which must be given then."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
