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
    condition     = contains(["ubuntu-24.04", "debian-12"], var.image) || can(regex("^projects/[^/]+/global/images/.+$", var.image))
    error_message = "image must be ubuntu-24.04, debian-12 or an identifier such as projects/my-project/global/images/web-1."
  }
}

variable "size" {
  description = "How large the machines are: small, medium, large, xlarge or the cloud's own name of a size."
  type        = string
  default     = "small"

  validation {
    condition     = contains(["small", "medium", "large", "xlarge"], var.size) || can(regex("^[a-z][a-z0-9]*-[a-z0-9-]+$", var.size))
    error_message = "size must be small, medium, large, xlarge or a machine type such as n2-standard-4."
  }
}

variable "disk_gb" {
  description = "Size of the system disk in GB."
  type        = number
  default     = 20

  validation {
    condition     = var.disk_gb >= 10 && var.disk_gb <= 16384
    error_message = "disk_gb must be from 10 to 16384."
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
  description = "Security groups of the machines, which are network tags that firewall rules name; [] for none."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for g in var.security_group_ids : can(regex("^[a-z][a-z0-9-]*$", g))])
    error_message = "security_group_ids must be network tags of lowercase letters, digits and dashes."
  }
}

variable "public" {
  description = "Whether the machines have public addresses."
  type        = bool
  default     = false
}

variable "user" {
  description = "Who Ansible logs in as; null for a user named after the system."
  type        = string
  default     = null

  validation {
    condition     = var.user == null || can(regex("^[a-z_][a-z0-9_-]*$", var.user))
    error_message = "user must be the name of a Linux user."
  }
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
  description = "Labels of everything that can have them; what a label cannot hold becomes a dash."
  type        = map(string)
  default     = {}
}
