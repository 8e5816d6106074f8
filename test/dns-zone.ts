/** A record as DNS over HTTPS tells it in JSON. */
interface DnsRecord {
  type: number;
  data: string;
}

const a = (data: string): DnsRecord => ({ type: 1, data });
const aaaa = (data: string): DnsRecord => ({ type: 28, data });
const cname = (data: string): DnsRecord => ({ type: 5, data });

/** What the resolver of a runtime test knows; null is NXDOMAIN. */
const ZONE: Readonly<Record<string, DnsRecord[] | null>> = {
  "public.dns.test": [a("93.184.215.14"), aaaa("2606:2800:21f:cb07:6820:80da:af6b:8b2c")],
  "private.dns.test": [a("10.0.0.1")],
  "alias.dns.test": [cname("private.dns.test."), a("192.168.1.1")],
  "half.dns.test": [a("93.184.215.14"), aaaa("fd00::1")],
  "mapped.dns.test": [aaaa("::ffff:127.0.0.1")],
  "169.254.169.254.nip.io": [a("169.254.169.254")],
  "empty.dns.test": [],
  "gone.dns.test": null,
};

/** The answer of the JSON API of cloudflare-dns.com; 503 for a name that is not in the zone. */
export function dnsAnswer(url: URL): Response {
  const records = ZONE[url.searchParams.get("name") ?? ""];
  if (records === undefined) return new Response(null, { status: 503 });
  if (records === null) return Response.json({ Status: 3 });
  const wanted = url.searchParams.get("type") === "AAAA" ? 28 : 1;
  return Response.json({
    Status: 0,
    Answer: records.filter(({ type }) => type === wanted || type === 5),
  });
}
