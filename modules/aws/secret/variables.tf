variable "name" {
  description = "Name of the secret."
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
  description = "Days in which a destroyed secret can be brought back; 0 destroys it at once."
  type        = number
  default     = 7

  validation {
    condition     = contains(concat([0], range(7, 31)), var.recovery_days)
    error_message = "recovery_days must be 0 or a whole number from 7 to 30."
  }
}

variable "encryption_key_id" {
  description = "Key that encrypts the secret; null for a key that the cloud keeps."
  type        = string
  default     = null
}

variable "readers" {
  description = "Who may read the secret, in the cloud's words; on AWS ARNs of roles and users."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for r in var.readers : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", r))])
    error_message = "readers must be ARNs of roles or users, such as arn:aws:iam::123456789012:role/receipts."
  }
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
