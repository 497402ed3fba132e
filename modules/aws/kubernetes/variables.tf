variable "name" {
  description = "Name of the cluster and beginning of the names of its parts."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name must have 2 to 40 lowercase letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "kubernetes_version" {
  description = "Version of Kubernetes, such as 1.33; null for the cloud's choice when the cluster is made."
  type        = string
  default     = null

  validation {
    condition     = var.kubernetes_version == null || can(regex("^1\\.[0-9]+$", var.kubernetes_version))
    error_message = "kubernetes_version must be two numbers with a dot between them, such as 1.33."
  }
}

variable "network_id" {
  description = "Network of the cluster, as a network module puts it out; its machines reach the endpoint."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the cluster in two zones at least, with a way out to the internet for images."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name at least two subnets, in different zones."
  }
}

variable "node_size" {
  description = "How large the machines are: small, medium, large, xlarge or the cloud's own name of a size."
  type        = string
  default     = "small"

  validation {
    condition     = contains(["small", "medium", "large", "xlarge"], var.node_size) || can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.node_size))
    error_message = "node_size must be small, medium, large, xlarge or an instance type such as m7g.large."
  }
}

variable "node_count" {
  description = "Number of machines, and the least that an autoscaler leaves running."
  type        = number
  default     = 2

  validation {
    condition     = var.node_count >= 1 && var.node_count <= 450 && floor(var.node_count) == var.node_count
    error_message = "node_count must be a whole number from 1 to 450."
  }
}

variable "node_count_max" {
  description = "Number of machines that an autoscaler in the cluster may go up to; null for node_count."
  type        = number
  default     = null

  validation {
    condition     = var.node_count_max == null || try(var.node_count_max >= 1 && var.node_count_max <= 450 && floor(var.node_count_max) == var.node_count_max, false)
    error_message = "node_count_max must be a whole number from 1 to 450."
  }
}

variable "public_endpoint_cidrs" {
  description = "Address blocks outside the network that may reach the endpoint; [] for a private endpoint only."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.public_endpoint_cidrs : can(cidrnetmask(c))])
    error_message = "public_endpoint_cidrs must be IPv4 blocks, such as 198.51.100.0/24."
  }
}

variable "encryption_key_id" {
  description = "Key that encrypts the secrets of the cluster, by its ARN; null for one of the module's own."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
