variable "name" {
  description = "Name of the log group and beginning of the names of its alerts."
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
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.retention_days)
    error_message = "retention_days must be one that CloudWatch offers: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "alert_emails" {
  description = "Addresses that alerts are sent to, once they have confirmed."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for e in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", e))])
    error_message = "alert_emails must be e-mail addresses, such as ops@example.com."
  }
}

variable "log_patterns" {
  description = "Alerts by name: the pattern of lines, in the cloud's words, and how many of them in how many minutes raise it."
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
  description = "Key that encrypts logs and alerts, by its ARN, which CloudWatch must be allowed to use; null for one of the module's own."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
