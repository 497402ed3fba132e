variable "name" {
  description = "Name of the secret; the vault it is kept in is named after it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name must have 2 to 40 lowercase letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "value" {
  description = "What is kept secret; null for 40 letters and digits that are made up once."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.value == null || try(length(var.value) >= 1 && length(var.value) <= 25000, false)
    error_message = "value must have 1 to 25000 characters; leave it out to have one made."
  }
}

variable "description" {
  description = "What the secret is for; null for nothing."
  type        = string
  default     = null
}

variable "recovery_days" {
  description = "Days in which a destroyed secret can be brought back; 0 means 7 here, the fewest."
  type        = number
  default     = 7

  validation {
    condition     = contains(concat([0], range(7, 31)), var.recovery_days)
    error_message = "recovery_days must be 0 or a whole number from 7 to 30."
  }
}

variable "encryption_key_id" {
  description = "Ignored here: a vault encrypts with keys that the cloud keeps."
  type        = string
  default     = null
}

variable "readers" {
  description = "Who may read the secret, in the cloud's words: object identifiers of users, groups and identities."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for r in var.readers : can(regex("^[0-9a-f-]{36}$", r))])
    error_message = "readers must be object identifiers, such as 11111111-2222-3333-4444-555555555555."
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
