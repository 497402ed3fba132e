variable "name" {
  description = "Name of the database server and beginning of the names of its parts."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) >= 2 && length(var.name) <= 40
    error_message = "name must have 2 to 40 lowercase letters, digits and single dashes, begin with a letter and not end with a dash."
  }
}

variable "engine" {
  description = "What serves the database: postgres or mysql."
  type        = string
  default     = "postgres"

  validation {
    condition     = contains(["postgres", "mysql"], var.engine)
    error_message = "engine must be postgres or mysql."
  }
}

variable "engine_version" {
  description = "Version of the engine, as the cloud writes it; null for 16 of postgres and 8.0 of mysql."
  type        = string
  default     = null

  validation {
    condition     = var.engine_version == null || can(regex("^[0-9]+(\\.[0-9]+){0,2}$", var.engine_version))
    error_message = "engine_version must be numbers with dots between them, such as 17 or 8.4."
  }
}

variable "size" {
  description = "How large the server is: small, medium, large or the cloud's own name of a size."
  type        = string
  default     = "small"

  validation {
    condition     = contains(["small", "medium", "large"], var.size) || can(regex("^db-[a-z0-9-]+$", var.size))
    error_message = "size must be small, medium, large or a tier such as db-custom-8-32768."
  }
}

variable "storage_gb" {
  description = "Size of the storage in GB, which grows by itself where it runs full."
  type        = number
  default     = 20

  validation {
    condition     = var.storage_gb >= 20 && var.storage_gb <= 16384 && floor(var.storage_gb) == var.storage_gb
    error_message = "storage_gb must be a whole number from 20 to 16384."
  }
}

variable "database" {
  description = "Name of the database that is made."
  type        = string
  default     = "app"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.database))
    error_message = "database must have 1 to 63 lowercase letters, digits and underscores and begin with a letter."
  }
}

variable "username" {
  description = "Name of the user that owns it."
  type        = string
  default     = "app"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,30}$", var.username)) && !contains(["admin", "administrator", "postgres", "rdsadmin", "root"], var.username)
    error_message = "username must have 1 to 31 lowercase letters, digits and underscores, begin with a letter and be none of admin, administrator, postgres, rdsadmin and root."
  }
}

variable "network_id" {
  description = "Network that the server can be reached from."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets; the first one holds the address of the server."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids must name at least one subnet."
  }
}

variable "allowed_cidrs" {
  description = "Ignored here: whatever is in the network reaches the server, and nothing else does."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.allowed_cidrs : can(cidrnetmask(c))])
    error_message = "allowed_cidrs must be IPv4 blocks, such as 10.20.128.0/20."
  }
}

variable "high_availability" {
  description = "Whether a second server in another zone takes over where the first one fails."
  type        = bool
  default     = false
}

variable "backup_days" {
  description = "Days that backups are kept for."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35 && floor(var.backup_days) == var.backup_days
    error_message = "backup_days must be a whole number from 1 to 35."
  }
}

variable "deletion_protection" {
  description = "Whether the server refuses to be deleted."
  type        = bool
  default     = true
}

variable "encryption_key_id" {
  description = "Cloud KMS key that encrypts the server, which the service agent of the cloud's service must be allowed to use; null for a key that the cloud keeps."
  type        = string
  default     = null

  validation {
    condition     = var.encryption_key_id == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.encryption_key_id))
    error_message = "encryption_key_id must be such as projects/p/locations/l/keyRings/r/cryptoKeys/k."
  }
}

variable "tags" {
  description = "Labels of everything that can have them; what a label cannot hold becomes a dash."
  type        = map(string)
  default     = {}
}
