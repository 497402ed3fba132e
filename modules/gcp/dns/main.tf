# A zone of names and its records, for everyone or for the networks that are
# named.
# ISO 27001: A.8.20, A.8.21

locals {
  # Names that values point to end in a dot, or Google takes them to be below
  # the zone. Text is in quotes, in pieces of 255 characters.
  points = ["CNAME", "MX", "NS", "PTR", "SRV"]
  values = {
    for key, r in local.records :
    key => [for v in r.values : contains(local.points, r.type) ? "${trimsuffix(v, ".")}." : r.type == "TXT" ? join(" ", formatlist("\"%s\"", regexall(".{1,255}", v))) : v]
  }

  # Labels hold lowercase letters, digits, _ and - only, 63 at most.
  labels = {
    for name, text in var.tags : substr(replace(lower(name), "/[^a-z0-9_-]/", "-"), 0, 63) => substr(replace(lower(text), "/[^a-z0-9_-]/", "-"), 0, 63)
  }
}

resource "google_dns_managed_zone" "this" {
  name        = trimsuffix(substr("zone-${replace(var.name, "/[._]/", "-")}", 0, 63), "-")
  dns_name    = "${var.name}."
  description = "Zone of ${var.name}"
  visibility  = var.private ? "private" : "public"
  labels      = local.labels

  dynamic "private_visibility_config" {
    for_each = var.private ? [var.network_ids] : []

    content {
      dynamic "networks" {
        for_each = private_visibility_config.value

        content {
          network_url = networks.value
        }
      }
    }
  }

  dynamic "dnssec_config" {
    for_each = var.private ? [] : [var.dnssec ? "on" : "off"]

    content {
      state = dnssec_config.value
    }
  }

  lifecycle {
    precondition {
      condition     = var.private == (length(var.network_ids) > 0)
      error_message = "A private zone needs at least one network in network_ids, and a public one must have none."
    }
    precondition {
      condition     = !(var.private && var.dnssec)
      error_message = "dnssec must be false where private is true: a private zone cannot be signed."
    }
  }
}

resource "google_dns_record_set" "this" {
  for_each = local.records

  name         = "${local.full_names[each.key]}."
  managed_zone = google_dns_managed_zone.this.name
  type         = each.value.type
  ttl          = each.value.ttl
  rrdatas      = local.values[each.key]
}
