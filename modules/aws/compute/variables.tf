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
  description = "What the machines start from: ubuntu-24.04, debian-12, amazon-linux-2023 or the cloud's own image identifier."
  type        = string
  default     = "ubuntu-24.04"

  validation {
    condition     = contains(["ubuntu-24.04", "debian-12", "amazon-linux-2023"], var.image) || can(regex("^ami-[a-z0-9]+$", var.image))
    error_message = "image must be ubuntu-24.04, debian-12, amazon-linux-2023 or an identifier such as ami-0abc1234def567890."
  }
}

variable "size" {
  description = "How large the machines are: small, medium, large, xlarge or the cloud's own name of a size."
  type        = string
  default     = "small"

  validation {
    condition     = contains(["small", "medium", "large", "xlarge"], var.size) || can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.size))
    error_message = "size must be small, medium, large, xlarge or an instance type such as t3.micro."
  }
}

variable "disk_gb" {
  description = "Size of the system disk in GB."
  type        = number
  default     = 20

  validation {
    condition     = var.disk_gb >= 8 && var.disk_gb <= 16384
    error_message = "disk_gb must be from 8 to 16384."
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
  description = "Security groups of the machines; [] for the network's default one."
  type        = list(string)
  default     = []
}

variable "public" {
  description = "Whether the machines have public addresses; their subnets must be public then."
  type        = bool
  default     = false
}

variable "user" {
  description = "Who Ansible logs in as; null for the user that the image brings."
  type        = string
  default     = null
}

variable "ssh_public_key" {
  description = "Public key that may log in; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.ssh_public_key == null || can(regex("^(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]+", var.ssh_public_key))
    error_message = "ssh_public_key must be a public key in OpenSSH's form, as in: ssh-ed25519 AAAA... ada@example.com."
  }
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
