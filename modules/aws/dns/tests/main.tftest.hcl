# A fake AWS is meant, at AWS_ENDPOINT_URL: with these keys the real one refuses.
provider "aws" {
  region            = "eu-west-1"
  access_key        = "test"
  secret_key        = "test"
  s3_use_path_style = true
}

variables {
  name = "example.com"
  records = [
    { name = "@", type = "MX", values = ["10 mail.example.com."] },
    { name = "www", type = "A", ttl = 60, values = ["192.0.2.10", "192.0.2.11"] },
  ]
}

run "answers_for_a_zone_and_its_records" {
  assert {
    condition     = output.zone_id == aws_route53_zone.this.zone_id && length(output.name_servers) == 4
    error_message = "zone ${output.zone_id} is answered for by ${jsonencode(output.name_servers)}"
  }
  assert {
    condition     = output.records == { "@ MX" = "example.com", "www A" = "www.example.com" }
    error_message = "records are ${jsonencode(output.records)}"
  }
  assert {
    condition     = aws_route53_record.this["www A"].ttl == 60 && aws_route53_record.this["@ MX"].ttl == 300
    error_message = "records last for ${aws_route53_record.this["www A"].ttl} and ${aws_route53_record.this["@ MX"].ttl} seconds"
  }
  assert {
    condition     = length(aws_kms_key.dnssec) == 0
    error_message = "there is a key that nobody asked for"
  }
}

run "cuts_long_text_into_pieces" {
  command = plan

  variables {
    records = [{ name = "key._domainkey", type = "TXT", values = [join("", [for i in range(300) : "x"])] }]
  }

  assert {
    condition     = [for piece in split("\"\"", one(aws_route53_record.this["key._domainkey TXT"].records)) : length(piece)] == [255, 45]
    error_message = "text is ${one(aws_route53_record.this["key._domainkey TXT"].records)}"
  }
}
