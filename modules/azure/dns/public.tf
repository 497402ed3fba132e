# Values are taken apart where Azure has fields for what a zone file writes in a
# line.
resource "azurerm_dns_a_record" "this" {
  for_each = local.public.A

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags
  records             = each.value.values
}

resource "azurerm_dns_aaaa_record" "this" {
  for_each = local.public.AAAA

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags
  records             = each.value.values
}

resource "azurerm_dns_caa_record" "this" {
  for_each = local.public.CAA

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags

  dynamic "record" {
    for_each = each.value.values

    content {
      flags = split(" ", record.value)[0]
      tag   = split(" ", record.value)[1]
      value = regex("\"(.+)\"", record.value)[0]
    }
  }
}

resource "azurerm_dns_cname_record" "this" {
  for_each = local.public.CNAME

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags
  record              = one(each.value.values)
}

resource "azurerm_dns_mx_record" "this" {
  for_each = local.public.MX

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags

  dynamic "record" {
    for_each = each.value.values

    content {
      preference = split(" ", record.value)[0]
      exchange   = split(" ", record.value)[1]
    }
  }
}

resource "azurerm_dns_ns_record" "this" {
  for_each = local.public.NS

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags
  records             = each.value.values
}

resource "azurerm_dns_ptr_record" "this" {
  for_each = local.public.PTR

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags
  records             = each.value.values
}

resource "azurerm_dns_srv_record" "this" {
  for_each = local.public.SRV

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags

  dynamic "record" {
    for_each = each.value.values

    content {
      priority = split(" ", record.value)[0]
      weight   = split(" ", record.value)[1]
      port     = split(" ", record.value)[2]
      target   = split(" ", record.value)[3]
    }
  }
}

resource "azurerm_dns_txt_record" "this" {
  for_each = local.public.TXT

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags

  dynamic "record" {
    for_each = each.value.values

    content {
      value = record.value
    }
  }
}
