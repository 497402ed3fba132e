# A zone of the domain name system and the records in it, for the internet or
# for networks of one's own. Signed where that is asked for.
#
# ISO 27001: A.8.20, A.8.21, A.8.24

resource "aws_route53_zone" "this" {
  name    = var.name
  comment = var.private ? "Private zone ${var.name}" : "Public zone ${var.name}"
  tags    = var.tags

  dynamic "vpc" {
    for_each = var.network_ids

    content {
      vpc_id = vpc.value
    }
  }

  lifecycle {
    precondition {
      condition     = var.private == (length(var.network_ids) > 0)
      error_message = "A private zone needs at least one network in network_ids, and a public one must have none."
    }
  }
}

# Text goes over the wire in pieces of 255 characters.
resource "aws_route53_record" "this" {
  for_each = local.records

  zone_id = aws_route53_zone.this.zone_id
  name    = local.full_names[each.key]
  type    = each.value.type
  ttl     = each.value.ttl
  records = [for v in each.value.values : each.value.type == "TXT" ? join("\"\"", regexall(".{1,255}", v)) : v]
}
