// Writes the schemas that the tests check the Azure and GCP modules against.
// They come from the npm packages of CDKTF, which name everything a provider
// takes. Run it by hand where a module uses a resource that the schema lacks:
//
//   npm install --ignore-scripts --prefix DIR @cdktf/provider-azurerm@14.23.1 \
//     @cdktf/provider-google@16.12.1 @cdktf/provider-random@12.0.1
//   node modules/schema/extract.mjs DIR
//
// An attribute is written as its type and whether it is required, optional or
// computed. What has members of its own has a line that says how they are
// nested: list, set, map or single; "block" where it is written as a block and
// "one" where there is at most one of it.

import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const leafTypes = {
  String: "string", Number: "number", Boolean: "bool", List: "list(string)",
  NumberList: "list(number)", StringMap: "map(string)",
};

function filesIn(dir, ending) {
  return readdirSync(dir, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => readFileSync(join(dir, name), "utf8"))
    .join("\n");
}

// readInterfaces returns by struct what may be given: its Terraform name,
// whether it must be, and whether it may be given several times.
function readInterfaces(text) {
  const found = {};
  for (const [, name, body] of text.matchAll(/export interface (\w+)(?: extends [\w.]+)? \{\n([\s\S]*?)\n\}/g)) {
    found[name] = {};
    for (const part of body.split(/(?=\/\*\*)/)) {
      const link = part.match(/\{@link https:\/\/registry[^#\s]*#(\w+) \w+#\w+\}/);
      const line = part.match(/readonly \w+(\??): (.*)/);
      if (!link || !line) continue;
      const required = line[1] === "";
      if (!required && part.includes("id field is automatically added")) continue; // it can only be read
      found[name][link[1]] = { required, many: line[2].includes("[]") };
    }
  }
  return found;
}

// readKinds returns by struct how each thing is written in HCL.
function readKinds(text) {
  const entry = /^\s+(\w+): \{\n\s+value: .*\n\s+isBlock: (true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "(\w+)"/gm;
  const read = (body) => Object.fromEntries([...body.matchAll(entry)]
    .map(([, name, block, type, storage]) => [name, { block: block === "true", type, storage }]));
  const found = {};
  for (const [, name, body] of text.matchAll(/function (\w+)ToHclTerraform\(struct\) \{([\s\S]*?)\n\}/g)) {
    found[name[0].toUpperCase() + name.slice(1)] = read(body);
  }
  const own = text.match(/synthesizeHclAttributes\(\) \{([\s\S]*?)\n    \}/);
  found[""] = own ? read(own[1]) : {};
  return found;
}

// readClasses returns by class what can be read from it: leaves with their
// type, and what is nested with the class of its members.
function readClasses(text) {
  const found = {};
  for (const [, name, base, body] of text.matchAll(/^class (\w+) extends cdktf\.(\w+) \{\n([\s\S]*?)\n\}/gm)) {
    const members = {};
    for (const [, returned, type, attr] of body.matchAll(/return (.*)this\.get(\w+)Attribute\('(\w+)'\)/g)) {
      members[attr] = { type: returned.includes("tolist") ? leafTypes[type].replace("list", "set") : leafTypes[type] };
    }
    for (const [, nested, attr, set] of body.matchAll(/this\._\w+ = new ([\w.]+)\(this, "(\w+)"(?:, (true|false))?\)/g)) {
      members[attr] = { nested: nested.split(".").pop(), set: set === "true" };
    }
    found[name] = { base, members };
  }
  return found;
}

const necessity = (input) => (!input ? "computed" : input.required ? "required" : "optional");

// describe writes down one struct, whose members are read from a class.
function describe(lib, className, inputs, kinds) {
  const members = lib.classes[className].members;
  const names = [...new Set([...Object.keys(inputs), ...Object.keys(members)])].sort();
  return Object.fromEntries(names.map((name) => [name, describeMember(lib, members[name], inputs[name], kinds[name])]));
}

function describeMember(lib, member, input, kind) {
  if (!member) throw new Error(`${JSON.stringify(kind)} can be given but not read`);
  if (!member.nested) return `${member.type} ${necessity(input)}`;
  if (member.nested === "StringMap") return `map(string) ${necessity(input)}`;
  const struct = member.nested.replace(/(List|Map|OutputReference)$/, "");
  const nesting = kind ? kind.type.replace("struct", "single") : member.set ? "set" : "list";
  const is = [nesting, necessity(input)];
  if (kind?.block) is.push("block");
  if (input && !input.many && nesting !== "single") is.push("one");
  return { is: is.join(" "), of: describe(lib, struct + "OutputReference", lib.inputs[struct] ?? {}, lib.kinds[struct] ?? {}) };
}

function folderOf(root, kind, type) {
  const name = kind === "data" ? "data-" + type : type.replace(/^(azurerm|google|random)_/, "");
  return join(root, "lib", name.replaceAll("_", "-"));
}

// describeType writes down a resource or a data source of a package.
function describeType(root, kind, type) {
  const dir = folderOf(root, kind, type);
  const code = filesIn(dir, ".js");
  const lib = { inputs: readInterfaces(filesIn(dir, ".d.ts")), kinds: readKinds(code), classes: readClasses(code) };
  const [name] = Object.entries(lib.classes).find(([, c]) => ["TerraformResource", "TerraformDataSource"].includes(c.base));
  return describe(lib, name, lib.inputs[name + "Config"], lib.kinds[""]);
}

// usedTypes lists what the modules name, as [kind, type].
function usedTypes(provider) {
  const text = ["azure", "gcp"].map((cloud) => filesIn(join(here, "..", cloud), ".tf")).join("\n");
  const found = [...text.matchAll(/^(resource|data) "(\w+)"/gm)].map(([, kind, type]) => `${kind} ${type}`);
  return [...new Set(found)].sort().map((line) => line.split(" ")).filter(([, type]) => type.startsWith(provider + "_"));
}

function extract(root, provider) {
  const about = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const schema = {
    package: `${about.name} ${about.version}`,
    provider: `${about.cdktf.provider.name} ${about.cdktf.provider.version}`,
    resource: {}, data: {},
  };
  for (const [kind, type] of usedTypes(provider)) {
    if (existsSync(folderOf(root, kind, type))) schema[kind][type] = describeType(root, kind, type);
    else console.error(`${about.name} has no ${kind} ${type}`);
  }
  return schema;
}

// oneLineEach keeps the file small and its changes readable.
function oneLineEach(schema) {
  const types = (kind) => Object.entries(schema[kind]).map(([name, s]) => `    "${name}": ${JSON.stringify(s)}`).join(",\n");
  return `{\n  "package": "${schema.package}",\n  "provider": "${schema.provider}",\n` +
    ["resource", "data"].map((kind) => `  "${kind}": {\n${types(kind)}\n  }`).join(",\n") + "\n}\n";
}

for (const provider of ["azurerm", "google", "random"]) {
  const root = join(process.argv[2], "node_modules", "@cdktf", "provider-" + provider);
  writeFileSync(join(here, provider + ".json"), oneLineEach(extract(root, provider)));
}
