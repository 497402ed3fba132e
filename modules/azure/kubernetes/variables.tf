variable "name" {
  description = "Name of the cluster and beginning of the names of its parts."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name must have 2 to 40 lowercase letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "kubernetes_version" {
  description = "Version of Kubernetes, such as 1.33; null for the one that the cloud recommends."
  type        = string
  default     = null

  validation {
    condition     = var.kubernetes_version == null || can(regex("^1\\.[0-9]+(\\.[0-9]+)?$", var.kubernetes_version))
    error_message = "kubernetes_version must be a version such as 1.33."
  }
}

variable "network_id" {
  description = "Network of the cluster. Ignored here: the subnet says it."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets; the nodes are in the first one, which reaches over all zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids must name at least one subnet."
  }
}

variable "node_size" {
  description = "How large the machines are: small, medium, large, xlarge or the cloud's own name of a size."
  type        = string
  default     = "small"

  validation {
    condition     = contains(["small", "medium", "large", "xlarge"], var.node_size) || can(regex("^Standard_[A-Za-z0-9_]+$", var.node_size))
    error_message = "node_size must be small, medium, large, xlarge or a size such as Standard_D16s_v5."
  }
}

variable "node_count" {
  description = "Number of nodes, or the fewest where node_count_max is more."
  type        = number
  default     = 2

  validation {
    condition     = var.node_count >= 1 && var.node_count <= 1000 && floor(var.node_count) == var.node_count
    error_message = "node_count must be a whole number from 1 to 1000."
  }
}

variable "node_count_max" {
  description = "Most nodes that the cluster may grow to; null for node_count."
  type        = number
  default     = null

  validation {
    condition     = var.node_count_max == null || try(var.node_count_max >= 1 && var.node_count_max <= 1000 && floor(var.node_count_max) == var.node_count_max, false)
    error_message = "node_count_max must be a whole number from 1 to 1000."
  }
}

variable "public_endpoint_cidrs" {
  description = "Address blocks that reach the API from outside; [] for an API that only the network reaches."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.public_endpoint_cidrs : can(cidrnetmask(c))])
    error_message = "public_endpoint_cidrs must be IPv4 blocks, such as 198.51.100.0/24."
  }
}

variable "encryption_key_id" {
  description = "Key of a Key Vault that encrypts the secrets of the cluster, which encryption_identity_id must be allowed to use; null for a key that the cloud keeps."
  type        = string
  default     = null

  validation {
    condition     = var.encryption_key_id == null || can(regex("^https://", var.encryption_key_id))
    error_message = "encryption_key_id must be the address of a key, such as https://vault.vault.azure.net/keys/name."
  }
}

variable "encryption_identity_id" {
  description = "User-assigned identity that may use encryption_key_id; needed with it."
  type        = string
  default     = null
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
