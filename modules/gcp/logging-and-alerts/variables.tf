variable "name" {
  description = "Name of the log bucket and beginning of the names of its alerts."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name must have 2 to 40 lowercase letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "retention_days" {
  description = "Days that logs are kept for."
  type        = number
  default     = 365

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 3650 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days must be a whole number from 1 to 3650."
  }
}

variable "alert_emails" {
  description = "Addresses that alerts are sent to."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for e in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", e))])
    error_message = "alert_emails must be e-mail addresses, such as ops@example.com."
  }
}

variable "log_patterns" {
  description = "Alerts by name: the pattern of lines, a filter of Cloud Logging, and how many of them in how many minutes raise it."
  type = map(object({
    pattern        = string
    threshold      = optional(number, 1)
    period_minutes = optional(number, 5)
  }))
  default = {}

  validation {
    condition     = alltrue([for name, p in var.log_patterns : can(regex("^[a-z][a-z0-9-]*$", name)) && p.pattern != ""])
    error_message = "log_patterns must have names of lowercase letters, digits and dashes, and a pattern each."
  }
  validation {
    condition     = alltrue([for p in var.log_patterns : p.threshold >= 1 && floor(p.threshold) == p.threshold])
    error_message = "log_patterns must have whole numbers from 1 as threshold."
  }
  validation {
    condition     = alltrue([for p in var.log_patterns : p.period_minutes >= 1 && p.period_minutes <= 1440 && floor(p.period_minutes) == p.period_minutes])
    error_message = "log_patterns must have whole numbers from 1 to 1440 as period_minutes."
  }
}

variable "encryption_key_id" {
  description = "Cloud KMS key that encrypts the logs, which the service agent of the cloud's service must be allowed to use; null for a key that the cloud keeps."
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
