variable "name" {
  description = "Name of the database server and beginning of the names of its parts."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) >= 2 && length(var.name) <= 40
    error_message = "name must have 2 to 40 lowercase letters, digits and single dashes, begin with a letter and not end with a dash."
  }
}

variable "engine" {
  description = "Kind of database: postgres or mysql."
  type        = string
  default     = "postgres"

  validation {
    condition     = contains(["postgres", "mysql"], var.engine)
    error_message = "engine must be postgres or mysql."
  }
}

variable "engine_version" {
  description = "Version of the engine; null for the one this module has chosen."
  type        = string
  default     = null

  validation {
    condition     = var.engine_version == null || can(regex("^[0-9]+(\\.[0-9]+){0,2}$", var.engine_version))
    error_message = "engine_version must be numbers with dots between them, such as 17 or 8.4."
  }
}

variable "size" {
  description = "How large the machine is: small, medium, large or the cloud's own name of a size."
  type        = string
  default     = "small"

  validation {
    condition     = contains(["small", "medium", "large"], var.size) || can(regex("^db\\.[a-z][a-z0-9-]*\\.[a-z0-9]+$", var.size))
    error_message = "size must be small, medium, large or a class of RDS such as db.r7g.large."
  }
}

variable "storage_gb" {
  description = "Size of the disk in GB; it can grow but not shrink."
  type        = number
  default     = 20

  validation {
    condition     = var.storage_gb >= 20 && var.storage_gb <= 65536 && floor(var.storage_gb) == var.storage_gb
    error_message = "storage_gb must be a whole number from 20 to 65536."
  }
}

variable "database" {
  description = "Name of the database that is made on the server."
  type        = string
  default     = "app"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.database))
    error_message = "database must have 1 to 63 lowercase letters, digits and underscores and begin with a letter."
  }
}

variable "username" {
  description = "Who the database belongs to."
  type        = string
  default     = "app"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,30}$", var.username)) && !contains(["admin", "administrator", "postgres", "rdsadmin", "root"], var.username)
    error_message = "username must have 1 to 31 lowercase letters, digits and underscores, begin with a letter and be none of admin, administrator, postgres, rdsadmin and root."
  }
}

variable "network_id" {
  description = "Network of the database, as a network module puts it out."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the database in two zones at least, as a network module puts them out; private ones are meant."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name at least two subnets, in different zones."
  }
}

variable "allowed_cidrs" {
  description = "Address blocks that may reach the database."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.allowed_cidrs : can(cidrnetmask(c))])
    error_message = "allowed_cidrs must be IPv4 blocks, such as 10.20.128.0/20."
  }
}

variable "high_availability" {
  description = "Whether a second machine in another zone takes over when the first one fails."
  type        = bool
  default     = false
}

variable "backup_days" {
  description = "Days that the database can be brought back to any moment of."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35 && floor(var.backup_days) == var.backup_days
    error_message = "backup_days must be a whole number from 1 to 35."
  }
}

variable "deletion_protection" {
  description = "Whether the cloud refuses to delete the database; it has to be set to false in a run before the one that destroys it."
  type        = bool
  default     = true
}

variable "encryption_key_id" {
  description = "Key that encrypts disk and backups, by its ARN; null for a key that the cloud keeps."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
