/**
 * @file test_cfg.c  Configuration: what is accepted, what is refused and how
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <check.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "check_run.h"
#include "focus/cfgtab.h"

/* A valid file; tests put a line of their own in the place of one of these */
static const char *const linev[] = {
	/*  1 */ "listen = {\"tls:127.0.0.1:5061\", \"tls:[::1]:5061\"}",
	/*  2 */ "tls_certificate = \"cert.pem\"",
	/*  3 */ "realm = \"example.org\"",
	/*  4 */ "domains = {\"example.org\", \"127.0.0.1\"}",
	/*  5 */ "users = \"users\"",
	/*  6 */ "media_address = {\"127.0.0.1\", \"::1\"}",
	/*  7 */ "media_ports_min = 20000",
	/*  8 */ "media_ports_max = 20999",
	/*  9 */ "user_agent \"baresip*\" { digest = {\"MD5\"} }",
	/* 10 */ "digest = {\"SHA-256\", \"MD5\"}",
	/* 11 */ "conference \"adhoc\" {",
	/* 12 */ "  uri = \"sip:factory@example.org\"",
	/* 13 */ "  factory = true",
	/* 14 */ "  create = {\"*@example.org\"}",
	/* 15 */ "  join = {\"sip:bob@example.org\", \"*@example.net\"}",
	/* 16 */ "}",
	/* 17 */ "conference \"rooms\" {",
	/* 18 */ "  uri = \"sip:room-*@example.org\"",
	/* 19 */ "  keying = \"group\"",
	/* 20 */ "}",
};

static char dir[64], file[128], err[512];
static struct cfg *cfg;

static const char *path_of(const char *name)
{
	static char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);

	return path;
}

static void put(const char *name, mode_t mode, const void *text, size_t len)
{
	const int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void put_str(const char *name, mode_t mode, const char *text)
{
	put(name, mode, text, strlen(text));
}

/* A key and its certificate, valid from now + from to now + to [s] */
static void put_cert(const char *name, EVP_PKEY *key, EVP_PKEY *written, long from, long to)
{
	X509 *x = X509_new();
	FILE *f = fopen(path_of(name), "w");

	ck_assert(x && f);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), to);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"example.org", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	if (written)
		ck_assert(PEM_write_PrivateKey(f, written, NULL, NULL, 0, NULL, NULL));
	ck_assert(PEM_write_X509(f, x));
	X509_free(x);
	(void)fclose(f);
	ck_assert_int_eq(chmod(path_of(name), 0600), 0);
}

static void setup(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");

	(void)snprintf(dir, sizeof(dir), "/tmp/test_cfg.XXXXXX");
	ck_assert(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/conclave.conf", dir);

	put_cert("cert.pem", key, key, -60, 3600);
	put_cert("expired.pem", key, key, -7200, -3600);
	put_cert("mismatch.pem", key, other, -60, 3600);
	put_cert("ca.pem", key, NULL, -60, 3600);
	put_str("users", 0600, "# people\n\nalice:wonder:land\r\nbob@Example.net:b\n");
	put_str("junk.pem", 0600, "hello\n");
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void teardown(void)
{
	static const char *const namev[] = {
		"cert.pem", "expired.pem", "mismatch.pem", "ca.pem", "users", "junk.pem",
		"server.pem", "conclave.conf",
	};

	cfg = mem_deref(cfg);
	for (size_t i = 0; i < ARRAY_SIZE(namev); i++)
		(void)unlink(path_of(namev[i]));
	(void)rmdir(dir);
}

/* Read the lines above with one of them (from 1; 0: none) replaced */
static int read_with(unsigned line, const char *text)
{
	char buf[8192] = "";
	size_t n = 0;

	for (unsigned i = 1; i <= ARRAY_SIZE(linev); i++)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%s\n", i == line ? text : linev[i - 1]);
	put("conclave.conf", 0644, buf, n);

	cfg = mem_deref(cfg);

	return cfg_read(&cfg, file, err, sizeof(err));
}

static void assert_read(unsigned line, const char *text)
{
	const int e = read_with(line, text);

	ck_assert_msg(e == 0, "'%s' was refused: %s", text, err);
}

START_TEST(every_value_arrives_where_it_belongs)
{
	const struct cfg_conf *conf;

	assert_read(0, "");
	ck_assert_uint_eq(cfg->listenc, 2);
	ck_assert_int_eq(cfg->listenv[0].tp, SIP_TRANSP_TLS);
	ck_assert_uint_eq(sa_port(&cfg->listenv[0].addr), 5061);
	ck_assert_int_eq(sa_af(&cfg->listenv[1].addr), AF_INET6);
	ck_assert_str_eq(cfg->tls_certificate, path_of("cert.pem"));
	ck_assert_ptr_null(cfg->tls_ca);
	ck_assert_str_eq(cfg->realm, "example.org");
	ck_assert_uint_eq(cfg->domainc, 2);
	ck_assert_str_eq(cfg->domainv[1], "127.0.0.1");
	ck_assert_uint_eq(list_count(&cfg->userl), 2);
	ck_assert_uint_eq(cfg->media_addrc, 2);
	ck_assert_uint_eq(cfg->media_port_min, 20000);
	ck_assert_uint_eq(cfg->media_port_max, 20999);
	ck_assert_uint_eq(cfg->digestc, 2);
	ck_assert_uint_eq(list_count(&cfg->confl), 2);

	conf = cfg->confl.head->data;
	ck_assert_str_eq(conf->title, "adhoc");
	ck_assert_str_eq(conf->uri, "sip:factory@example.org");
	ck_assert(conf->factory);
	ck_assert_uint_eq(conf->createc, 1);
	ck_assert_uint_eq(conf->joinc, 2);
	ck_assert_int_eq(conf->keying, KEYING_ENDPOINT);
	conf = cfg->confl.tail->data;
	ck_assert_int_eq(conf->keying, KEYING_GROUP);
	ck_assert(!conf->factory);
	ck_assert_uint_eq(conf->createc + conf->joinc, 0);
}
END_TEST

START_TEST(what_is_not_set_has_the_default_of_the_table)
{
	const struct cfg_conf *conf;

	assert_read(1, "");
	conf = cfg->confl.head->data;
	ck_assert_uint_eq(cfg->listenc, 1);
	ck_assert_int_eq(cfg->listenv[0].tp, SIP_TRANSP_TLS);
	ck_assert_str_eq(cfg->control_socket, "/run/conclave/ctl");
	ck_assert_int_eq(cfg->log_level, LOG_LV_INFO);
	ck_assert(!cfg->log_syslog);
	ck_assert_int_eq(conf->owner_leaves, OWNER_CLOSES);
	ck_assert_uint_eq(conf->referc, 2);
	ck_assert(cfg_referrer_word(conf, "owner") && cfg_referrer_word(conf, "chairs"));
	ck_assert_uint_eq(conf->chairc + conf->listenerc, 0);
	ck_assert_int_eq(conf->anonymous, ANON_TRUSTED);
	ck_assert(!cfg->registrar);
	ck_assert_uint_eq(list_count(&cfg->peerl), 0);
	ck_assert_uint_eq(conf->suitec, 4);
	ck_assert_int_eq(conf->suitev[0], SUITE_AEAD_AES_256_GCM);
	for (unsigned i = 0; i < conf->suitec; i++)
		ck_assert(!suite_by_id(conf->suitev[i])->weak);
	ck_assert_uint_eq(conf->codecc, 4);

	assert_read(10, "");
	ck_assert_uint_eq(cfg->digestv[1].algc, 1);
	ck_assert_int_eq(cfg->digestv[1].algv[0], DIGEST_SHA256);

	assert_read(4, "");
	ck_assert_uint_eq(cfg->domainc, 1);
	ck_assert_str_eq(cfg->domainv[0], "example.org");
}
END_TEST

static const struct {
	unsigned line;
	const char *text;
	const char *err;        /* after the directory; NULL: accepted */
} linecasev[] = {
	/* syntax */
	{  1, "lisen = {\"tls:127.0.0.1:5061\"}", "/conclave.conf:1: no such option 'lisen'" },
	{  1, "\"a\x1b\nb\" = 1", "/conclave.conf:2: no such option 'a??b'" },
	{ 13, "  owner = true", "/conclave.conf:13: no such option 'owner'" },
	{  7, "media_ports_min 20000", "/conclave.conf:7: missing equal sign after option 'media_ports_min'" },
	{ 20, "", "/conclave.conf:21: premature end of file" },
	{ 20, "\"", "/conclave.conf:21: premature end of file" },
	{  9, "conference|uri = \"sip:a@b\"", "/conclave.conf:9: " },
	{  9, "conference|create = {\"*\"}", "/conclave.conf:9: " },
	{  8, "media_ports_max = 20999\nmedia_ports_min = 20002", "/conclave.conf:7: media_ports_min: is set again further down" },
	{ 14, "  create = {\"*\"}\n  create = {\"*@example.org\"}", "/conclave.conf:14: create: is set again further down" },
	{  3, "realm = \"exam\\nple.org\"", "/conclave.conf:3: realm: overlong value or control" },
	{ 17, "conference \"adhoc\" {", "/conclave.conf:17: found duplicate title 'adhoc'" },
	{ 17, "conference \"\" {", "/conclave.conf:20: conference: title is empty" },
	{  1, "# one\n// two\n/* three\nfour */ ## five\n\nlog = \"file\"", "/conclave.conf:6: log: 'file'" },
	{  1, "# \"one\n// 'two\n#${three\n/* four *//* \" */ log = \"file\"", "/conclave.conf:4: log: 'file'" },
	{  1, "log = \"a#b/*c*/d//e\"", "/conclave.conf:1: log: 'a#b/*c*/d//e'" },
	{  1, "log = 'a#b/*c*/d//e'", "/conclave.conf:1: log: 'a#b/*c*/d//e'" },
	{  1, "log = \"\\\"#\" # \"", "/conclave.conf:1: log: '\"#'" },
	{  1, "log = \"${NOBODY:-#\"\"}\"", "/conclave.conf:1: log: '#\"\"'" },
	{  1, "log = ${NOBODY:-#1}", "/conclave.conf:1: log: '#1'" },
	{ 20, "} /* end", "/conclave.conf:21: premature end of file" },
	/* listen */
	{  1, "listen = {}", "/conclave.conf:1: listen: the list is empty" },
	{  1, "\nlisten = {\n}", "/conclave.conf:2: listen: the list is empty" },
	{  1, "listen = {\"dtls:127.0.0.1:5061\"}", "/conclave.conf:1: listen: 'dtls:" },
	{  1, "listen = {\"tls\"}", "/conclave.conf:1: listen: 'tls' is not transport:address:port" },
	{  1, "listen = {\"tls:127.0.0.1\"}", "/conclave.conf:1: listen: 'tls:127.0.0.1' is not" },
	{  1, "listen = {\"tls:127.0.0.1:65536\"}", "/conclave.conf:1: listen: " },
	{  1, "listen = {\"tls:127.0.0.1:-1\"}", "/conclave.conf:1: listen: " },
	{  1, "listen = {\"tls:127.0.0.256:5061\"}", "/conclave.conf:1: listen: " },
	{  1, "listen = {\"tls:::1:5061\"}", "/conclave.conf:1: listen: " },
	{  1, "listen = {\"tls:localhost:5061\"}", "/conclave.conf:1: listen: " },
	{  1, "listen = {\"tls:127.0.0.1:1\",\n\"tls:127.0.0.1:1\"}", "/conclave.conf:2: listen: 'tls:127.0.0.1:1' twice" },
	{  1, "listen = {\"tls:127.0.0.1:0\", \"tls:127.0.0.1:0\"}", NULL },
	{  1, "listen = {\"udp:127.0.0.1:5060\", \"tcp:127.0.0.1:5060\"}", NULL },
	{  1, "listen = {\"udp:127.0.0.1:1\",\"udp:127.0.0.1:2\",\"udp:127.0.0.1:3\",\"udp:127.0.0.1:4\","
	      "\"udp:127.0.0.1:5\",\"udp:127.0.0.1:6\",\"udp:127.0.0.1:7\",\"udp:127.0.0.1:8\",\n\"udp:127.0.0.1:9\"}",
	      "/conclave.conf:2: listen: more than 8 items" },
	/* certificate */
	{  2, "", "/conclave.conf:1: listen: tls needs tls_certificate" },
	{  2, "tls_certificate = \"none.pem\"", "/conclave.conf:2: tls_certificate: @/none.pem: No such file or directory" },
	{  2, "tls_certificate = \".\"", "/conclave.conf:2: tls_certificate: @/.: not a regular file" },
	{  2, "tls_certificate = \"junk.pem\"", "/conclave.conf:2: tls_certificate: @/junk.pem: no certificate in it" },
	{  2, "tls_certificate = \"ca.pem\"", "/conclave.conf:2: tls_certificate: @/ca.pem: no private key" },
	{  2, "tls_certificate = \"mismatch.pem\"", "/conclave.conf:2: tls_certificate: @/mismatch.pem: private key and certificate do not" },
	{  2, "tls_certificate = \"expired.pem\"", NULL },
	{  2, "tls_certificate = \"cert.pem\"\ntls_ca = \"junk.pem\"", "/conclave.conf:3: tls_ca: @/junk.pem: no certificate" },
	{  2, "tls_certificate = \"cert.pem\"\ntls_ca = \"ca.pem\"", NULL },
	/* names */
	{  3, "", "/conclave.conf:21: realm: must be set" },
	{  3, "realm = \"\"", "/conclave.conf:3: realm: " },
	{  3, "realm = \"exa\\\"mple\"", "/conclave.conf:3: realm: 'exa\"mple' is not a host name" },
	{  4, "domains = {\"Example.ORG\", \"example.org\"}", "/conclave.conf:4: domains: 'example.org' twice" },
	{  4, "domains = {\"exämple.org\"}", "/conclave.conf:4: domains: " },
	{  4, "domains = {\"example.com\"}", "/conclave.conf:12: uri: example.org is not one of domains" },
	{  5, "", "/conclave.conf:21: nobody could authenticate" },
	{  5, "users = \"nobody\"", "/conclave.conf:5: users: @/nobody: No such file or directory" },
	/* media */
	{  6, "", "/conclave.conf:21: media_address: must be set" },
	{  6, "media_address = {\"127.0.0.1\", \"127.0.0.2\"}", "/conclave.conf:6: media_address: '127.0.0.2' twice" },
	{  6, "media_address = {\"lo\"}", "/conclave.conf:6: media_address: 'lo' is not an IP address" },
	{  6, "media_address = {\"0.0.0.0\"}", "/conclave.conf:6: media_address: a phone cannot send to the wildcard" },
	{  6, "media_address = {\"0.0.0.0\"}\nadvertised_address = \"192.0.2.1\"", NULL },
	{  6, "media_address = {\"::1\"}\nadvertised_address = \"192.0.2.1\"", "/conclave.conf:7: advertised_address: no media_address" },
	{  6, "media_address = {\"::1\"}\nadvertised_sip = \"[2001:db8::1]:5061\"", NULL },
	{  6, "media_address = {\"::1\"}\nadvertised_sip = \"2001:db8::1\"", "/conclave.conf:7: advertised_sip: " },
	{  6, "media_address = {\"::1\"}\nadvertised_sip = \"example.org:0\"", "/conclave.conf:7: advertised_sip: bad port" },
	{  6, "media_address = {\"::1\"}\nadvertised_sip = \"example.org\"", NULL },
	{  7, "media_ports_min = 20001", "/conclave.conf:7: media_ports_min: 20001 is not even" },
	{  7, "media_ports_min = 21000", "/conclave.conf:8: media_ports_max: 20999 is below media_ports_min (21000)" },
	{  7, "media_ports_min = 80", "/conclave.conf:7: media_ports_min: '80' is not a number from 1024 to 65534" },
	{  7, "media_ports_min = -2", "/conclave.conf:7: media_ports_min: '-2' is not a number" },
	{  7, "media_ports_min = 20000x", "/conclave.conf:7: media_ports_min: '20000x' is not a number" },
	{  7, "media_ports_min = \"\"", "/conclave.conf:7: media_ports_min: '' is not a number" },
	{  8, "media_ports_max = 21000", "/conclave.conf:8: media_ports_max: 21000 is not odd" },
	{  8, "media_ports_max = 65537", "/conclave.conf:8: media_ports_max: '65537' is not a number" },
	{  8, "media_ports_max = 18446744073709551617", "/conclave.conf:8: media_ports_max: " },
	/* digest */
	{ 10, "digest = {}", "/conclave.conf:10: digest: the list is empty" },
	{ 10, "digest = {\"\"}", "/conclave.conf:10: digest: unknown algorithm ''" },
	{ 10, "digest = {\"NULL\"}", "/conclave.conf:10: digest: unknown algorithm 'NULL'" },
	{ 10, "digest = {\"SHA-1\"}", "/conclave.conf:10: digest: unknown algorithm 'SHA-1'" },
	{ 10, "digest = {\"MD5\", \"md5\"}", "/conclave.conf:10: digest: 'md5' twice" },
	{  9, "user_agent \"x\" { digest = {} }", "/conclave.conf:9: digest: the list is empty" },
	{  9, "user_agent \"x\" { realm = \"y\" }", "/conclave.conf:9: no such option 'realm'" },
	/* the rest of the top level */
	{  9, "log = \"file\"", "/conclave.conf:9: log: 'file' is none of stderr, syslog" },
	{  9, "log_level = \"loud\"", "/conclave.conf:9: log_level: 'loud' is none of" },
	{  9, "log_level = debug\nlog = syslog", NULL },
	{  9, "mixer_path = \"/nonexistent/mixer\"", "/conclave.conf:9: mixer_path: /nonexistent/mixer: No such file" },
	{  9, "max_calls = 0", "/conclave.conf:9: max_calls: '0' is not a number from 1 to" },
	{  9, "control_socket = \"\"", NULL },
	{  9, "control_socket = \"/01234567890123456789012345678901234567890123456789012345678901234567890123456789"
	      "0123456789012345678901234567890123456789\"", "/conclave.conf:9: control_socket: longer than 100" },
	/* registrar, trusted peers */
	{  9, "registrar = true\nregister_expires = 59", "/conclave.conf:10: register_expires: '59' is not a number from 60" },
	{  9, "max_contacts = 17", "/conclave.conf:9: max_contacts: '17' is not a number from 1 to 16" },
	{  9, "trusted_peer \"p\" { }", "/conclave.conf:9: trusted_peer: set address or certificate" },
	{  9, "trusted_peer \"p\" { address = {\"proxy\"} }", "/conclave.conf:9: address: 'proxy' is not an IP address" },
	{  9, "trusted_peer \"p\" { address = {\"192.0.2.1\", \"192.0.2.1\"} }", "/conclave.conf:9: address: '192.0.2.1' twice" },
	{  9, "trusted_peer \"p\" { certificate = {\"h\"} }", "/conclave.conf:9: certificate: needs tls_ca" },
	{  9, "trusted_peer \"p\" { certificate = {\"*.h\"} }", "/conclave.conf:9: certificate: " },
	{  9, "trusted_peer \"p\" { address = {\"::1\"}\n asserts = {} }", "/conclave.conf:10: asserts: the list is empty" },
	{  9, "trusted_peer \"p\" { address = {\"::1\"} hop = \"h\" }", "/conclave.conf:9: no such option 'hop'" },
	{  9, "tls_ca = \"ca.pem\"\ntrusted_peer \"p\" { address = {\"192.0.2.1\", \"::1\"}\n"
	      "certificate = {\"proxy.example.org\"}\nasserts = {\"*@example.org\"} }", NULL },
	{ 19, "anonymous = \"never\"", "/conclave.conf:19: anonymous: 'never' is none of forbid, trusted, allow" },
	/* conference */
	{ 12, "", "/conclave.conf:16: uri: must be set" },
	{ 12, "uri = \"factory@example.org\"", "/conclave.conf:12: uri: 'factory@example.org' is not sip:user@host" },
	{ 12, "uri = \"sip:@example.org\"", "/conclave.conf:12: uri: " },
	{ 12, "uri = \"sip:factory\"", "/conclave.conf:12: uri: " },
	{ 12, "uri = \"sip:factory@example.org:5061\"", "/conclave.conf:12: uri: bad host" },
	{ 12, "uri = \"sip:fac tory@example.org\"", "/conclave.conf:12: uri: bad user part" },
	{ 18, "uri = \"sip:factory@127.0.0.1\"", "/conclave.conf:18: uri: conference \"adhoc\" has the same user part" },
	{ 13, "factory = maybe", "/conclave.conf:13: factory: 'maybe' is neither true nor false" },
	{ 14, "create = {\"alice\"}", "/conclave.conf:14: create: 'alice' is none of sip:user@domain" },
	{ 14, "create = {\"*@*\"}", "/conclave.conf:14: create: " },
	{ 14, "create = {\"al*@example.org\"}", "/conclave.conf:14: create: " },
	{ 14, "create = {\"Alice <sip:alice@example.org>\"}", "/conclave.conf:14: create: " },
	{ 14, "create = {\"*\", \"*\"}", "/conclave.conf:14: create: '*' twice" },
	{ 14, "create = {}", NULL },
	{ 19, "keying = \"none\"", "/conclave.conf:19: keying: 'none' is none of endpoint, group, auto" },
	{ 19, "owner_leaves = \"dance\"", "/conclave.conf:19: owner_leaves: 'dance' is none of close, hand_over, stay" },
	{ 19, "chairs = {\"alice\"}", "/conclave.conf:19: chairs: 'alice' is none of sip:user@domain" },
	{ 19, "listeners = {\"*\"}", NULL },
	{ 19, "refer = {\"listeners\"}", "/conclave.conf:19: refer: 'listeners' is none of owner, chairs, members, sip:" },
	{ 19, "refer = {\"chairs\", \"members\"}", NULL },
	{ 19, "suites = {}", "/conclave.conf:19: suites: the list is empty" },
	{ 19, "suites = {\"NULL_HMAC_SHA1_80\"}", "/conclave.conf:19: suites: unknown SRTP suite 'NULL_HMAC_SHA1_80'" },
	{ 19, "suites = {\"AES_CM_128_HMAC_SHA1_32\"}", NULL },
	{ 19, "codecs = {\"opus\", \"G729\"}", "/conclave.conf:19: codecs: unknown codec 'G729'" },
	{ 19, "max_participants = 1", "/conclave.conf:19: max_participants: '1' is not a number from 2" },
	{ 19, "max_speakers = 16", "/conclave.conf:19: max_speakers: '16' is not a number from 1 to 15" },
};

START_TEST(a_bad_line_is_named_with_file_line_and_reason)
{
	const char *want = linecasev[_i].err, *got;
	char full[512] = "";
	const int e = read_with(linecasev[_i].line, linecasev[_i].text);

	if (!want) {
		ck_assert_msg(e == 0, "'%s' was refused: %s", linecasev[_i].text, err);
		return;
	}

	/* "@" stands for the directory */
	for (size_t n = 0; *want; want++) {
		if (*want == '@' && want[1] == '/')
			n += (size_t)snprintf(full + n, sizeof(full) - n, "%s", dir);
		else
			full[n++] = *want;
	}

	ck_assert_msg(e != 0, "'%s' was accepted", linecasev[_i].text);
	ck_assert_ptr_null(cfg);
	ck_assert_msg(0 == strncmp(err, dir, strlen(dir)), "%s", err);
	got = err + strlen(dir);
	ck_assert_msg(0 == strncmp(got, full, strlen(full)), "'%s': got '%s', want '%s'",
		      linecasev[_i].text, got, full);
}
END_TEST

START_TEST(a_failed_read_leaves_the_old_configuration_and_the_parser_usable)
{
	struct cfg *old;

	assert_read(0, "");
	old = mem_ref(cfg);
	ck_assert_int_ne(read_with(20, "\""), 0);
	ck_assert_int_ne(read_with(20, "'"), 0);
	ck_assert_int_ne(read_with(20, "/* "), 0);
	ck_assert_int_ne(read_with(20, "\"${"), 0);
	ck_assert_str_eq(old->realm, "example.org");
	assert_read(0, "");
	mem_deref(old);
}
END_TEST

START_TEST(a_file_that_is_not_there_or_not_text_is_refused)
{
	char buf[] = "realm = \"a\"\n\0listen = {}";

	ck_assert_int_eq(cfg_read(&cfg, path_of("nothing"), err, sizeof(err)), ENOENT);
	ck_assert_ptr_nonnull(strstr(err, "/nothing: No such file or directory"));
	ck_assert_int_ne(cfg_read(&cfg, dir, err, sizeof(err)), 0);

	put("conclave.conf", 0600, buf, sizeof(buf));
	ck_assert_int_eq(cfg_read(&cfg, file, err, sizeof(err)), EINVAL);
	ck_assert_ptr_nonnull(strstr(err, ":2: contains a zero byte"));
	ck_assert_ptr_null(cfg);
}
END_TEST

START_TEST(an_error_text_never_overruns_a_small_buffer)
{
	char small[8] = "xxxxxxx";

	ck_assert_int_ne(cfg_read(&cfg, "/nonexistent/file", small, sizeof(small)), 0);
	ck_assert_uint_lt(strlen(small), sizeof(small));

	put_str("conclave.conf", 0600, "log = stderr\nlog = syslog\n\"");
	for (size_t size = 1; size <= sizeof(small); size++)
		ck_assert_int_eq(cfg_read(&cfg, file, small, size), EINVAL);
}
END_TEST

START_TEST(what_is_printed_reads_back_the_same)
{
	char *first = NULL, *second = NULL;

	assert_read(17, "conference \"ro\\\"o\\\\m ${HOME}\" {");
	ck_assert_int_eq(re_sdprintf(&first, "%H", cfg_show, cfg), 0);
	put_str("conclave.conf", 0600, first);
	cfg = mem_deref(cfg);
	ck_assert_msg(cfg_read(&cfg, file, err, sizeof(err)) == 0, "%s in\n%s", err, first);
	ck_assert_int_eq(re_sdprintf(&second, "%H", cfg_show, cfg), 0);
	ck_assert_str_eq(first, second);
	ck_assert_ptr_null(strstr(first, "wonder"));
	mem_deref(first);
	mem_deref(second);
}
END_TEST

static const struct {
	mode_t mode;
	const char *text;
	const char *err;        /* NULL: accepted */
} usercasev[] = {
	{ 0600, "alice:a\nbob:b\n", NULL },
	{ 0400, "alice:a", NULL },
	{ 0600, "", NULL },
	{ 0640, "alice:a\n", "/conclave.conf:5: users: @/users: accessible to group or others (chmod 600)" },
	{ 0604, "alice:a\n", "/conclave.conf:5: users: @/users: accessible to group or others (chmod 600)" },
	{ 0620, "alice:a\n", "/conclave.conf:5: users: @/users: accessible to group or others (chmod 600)" },
	{ 0600, "alice:a\nhunter2\n", "/users:2: not user:password" },
	{ 0600, ":a\n", "/users:1: bad user name" },
	{ 0600, "al ice:a\n", "/users:1: bad user name" },
	{ 0600, "al\"ice:a\n", "/users:1: bad user name" },
	{ 0600, "alice@:a\n", "/users:1: bad user name" },
	{ 0600, "# x\n\nalice:\n", "/users:3: empty or overlong password" },
	{ 0600, "alice:a\nalice@EXAMPLE.org:b\n", "/users:2: user is listed twice" },
};

START_TEST(a_users_file_is_private_and_well_formed)
{
	const char *want = usercasev[_i].err;
	char full[256];
	int e;

	put_str("users", usercasev[_i].mode, usercasev[_i].text);
	e = read_with(0, "");
	if (!want) {
		ck_assert_msg(e == 0, "%s", err);
		return;
	}

	ck_assert_int_ne(e, 0);
	if (strchr(want, '@'))
		(void)snprintf(full, sizeof(full), "%s%.*s%s%s", dir, (int)strcspn(want, "@"), want,
			       dir, strchr(want, '@') + 1);
	else
		(void)snprintf(full, sizeof(full), "%s%s", dir, want);
	ck_assert_str_eq(err, full);
	ck_assert_ptr_null(strstr(err, "hunter2"));
}
END_TEST

START_TEST(a_users_file_of_somebody_else_is_refused)
{
	/* Only root can give files away */
	if (geteuid() != 0)
		return;

	ck_assert_int_eq(chown(path_of("users"), 12345, 0), 0);
	ck_assert_int_eq(read_with(0, ""), EPERM);
	ck_assert_ptr_nonnull(strstr(err, "owned by somebody else"));
}
END_TEST

START_TEST(a_zero_byte_in_the_users_file_is_refused)
{
	put("users", 0600, "al\0ce:x\n", 8);
	ck_assert_int_ne(read_with(0, ""), 0);
	ck_assert_ptr_nonnull(strstr(err, "/users:1: contains a zero byte"));
}
END_TEST

START_TEST(a_key_that_others_can_read_is_refused)
{
	ck_assert_int_eq(chmod(path_of("cert.pem"), 0644), 0);
	ck_assert_int_ne(read_with(0, ""), 0);
	ck_assert_ptr_nonnull(strstr(err, ":2: tls_certificate: "));
	ck_assert_ptr_nonnull(strstr(err, "accessible to others"));
	ck_assert_int_eq(chmod(path_of("cert.pem"), 0640), 0);
	assert_read(0, "");
}
END_TEST

START_TEST(rules_that_everybody_can_write_are_refused)
{
	assert_read(0, "");
	ck_assert_int_eq(chmod(file, 0646), 0);
	cfg = mem_deref(cfg);
	ck_assert_int_ne(cfg_read(&cfg, file, err, sizeof(err)), 0);
	ck_assert_ptr_nonnull(strstr(err, "/conclave.conf:"));
	ck_assert_ptr_nonnull(strstr(err, "writable by everybody"));
	ck_assert_int_eq(chmod(file, 0644), 0);
	assert_read(0, "");
}
END_TEST

static const struct cfg_user *find_user(const char *name)
{
	struct pl pl;

	pl_set_str(&pl, name);

	return cfg_user_find(cfg, &pl);
}

START_TEST(a_user_is_found_with_and_without_the_realm)
{
	assert_read(0, "");
	ck_assert_ptr_nonnull(find_user("alice"));
	ck_assert_str_eq(find_user("alice")->password, "wonder:land");
	ck_assert_ptr_nonnull(find_user("alice@example.org"));
	ck_assert_ptr_nonnull(find_user("alice@EXAMPLE.ORG"));
	ck_assert_ptr_nonnull(find_user("bob@example.net"));
	ck_assert_ptr_null(find_user("bob"));
	ck_assert_ptr_null(find_user("Alice"));
	ck_assert_ptr_null(find_user("alic"));
	ck_assert_ptr_null(find_user("alice@example.net"));
	ck_assert_ptr_null(find_user(""));
	ck_assert_ptr_null(find_user("# people"));
}
END_TEST

static const struct {
	const char *rule;
	const char *identity;
	bool match;
} rulev[] = {
	{ "*", "sip:alice@example.org", true },
	{ "*", "sip:example.org", true },
	{ "*", "", false },
	{ "*", "sip:", false },
	{ "*", "\"x\" <sip:alice@example.org>", false },
	{ "*@example.org", "sip:alice@example.org", true },
	{ "*@example.org", "sips:alice@EXAMPLE.ORG", true },
	{ "*@EXAMPLE.org", "sip:alice@example.org", true },
	{ "*@example.org", "sip:alice@example.org:5061;transport=tls?a=b", true },
	{ "*@example.org", "sip:example.org", false },
	{ "*@example.org", "sip:alice@sub.example.org", false },
	{ "*@example.org", "sip:alice@example.org.evil.com", false },
	{ "*@example.org", "sip:alice@evilexample.org", false },
	{ "*@example.org", "sip:alice@evil.com;x=@example.org", false },
	{ "*@example.org", "sip:alice@evil.com?x=@example.org", false },
	{ "*@example.org", "sip:alice@evil.com@example.org", false },
	{ "*@example.org", "sip:alice%40example.org@evil.com", false },
	{ "*@example.org", "sip:alice@example.org\r\nX: y", false },
	{ "*@example.org", "sip:alice@ex\xd0\xb0mple.org", false },
	{ "sip:alice@example.org", "sip:alice@example.org", true },
	{ "sip:alice@example.org", "alice@example.org", true },
	{ "sip:alice@example.org", "sip:%61lice@example.org", true },
	{ "sip:%61lice@example.org", "sip:alice@example.org", true },
	{ "sip:alice@example.org", "sip:%2561lice@example.org", false },
	{ "sip:a%2fb@example.org", "sip:a%2Fb@example.org", true },
	{ "sip:a/b@example.org", "sip:a%2Fb@example.org", false },
	{ "sip:alice@example.org", "sip:Alice@example.org", false },
	{ "sip:alice@example.org", "sip:al%00ice@example.org", false },
	{ "sip:alice@example.org", "sip:alice%@example.org", false },
	{ "sip:alice@example.org", "sip:alice:secret@example.org", false },
	{ "sip:alice@example.org", "\"alice\" <sip:mallory@example.org>", false },
	{ "sip:alice@example.org", "alice@example.org <sip:mallory@example.org>", false },
	{ "sip:alice@example.org", "sip:\xd0\xb0lice@example.org", false },
	{ "sip:alice@example.org", "sip:%D0%B0lice@example.org", false },
	{ "sip:alice@example.org", "sip:mallory@example.org", false },
	{ "sip:alice@example.org", "sip:alice@example.org.", false },
	{ "sip:alice@[::1]", "sip:alice@[0:0:0:0:0:0:0:1]:5061", true },
	{ "sip:alice@[::1]", "sip:alice@[::2]", false },
	{ "sip:alice@127.0.0.1", "sip:alice@127.0.0.1:4000", true },
	{ "%2A@example.org", "sip:alice@example.org", false },
	{ "al*@example.org", "sip:alice@example.org", false },
	{ "", "sip:alice@example.org", false },
	{ "sip:alice@example.org", "tel:+49301234", false },
};

START_TEST(a_rule_matches_the_authenticated_identity_and_nothing_else)
{
	ck_assert_msg(cfg_rule_match(rulev[_i].rule, rulev[_i].identity) == rulev[_i].match,
		      "'%s' and '%s'", rulev[_i].rule, rulev[_i].identity);
}
END_TEST

static const char *find_conf(const char *user)
{
	const struct cfg_conf *conf;
	struct pl pl;

	pl_set_str(&pl, user);
	conf = cfg_conf_find(cfg, &pl);

	return conf ? conf->title : "";
}

START_TEST(the_first_section_whose_pattern_matches_decides)
{
	char longer[300];

	assert_read(0, "");
	ck_assert_str_eq(find_conf("factory"), "adhoc");
	ck_assert_str_eq(find_conf("f%61ctory"), "adhoc");
	ck_assert_str_eq(find_conf("Factory"), "");
	ck_assert_str_eq(find_conf("factory2"), "");
	ck_assert_str_eq(find_conf("room-1"), "rooms");
	ck_assert_str_eq(find_conf("room-"), "rooms");
	ck_assert_str_eq(find_conf("room"), "");
	ck_assert_str_eq(find_conf("room-%0"), "");
	ck_assert_str_eq(find_conf("room-\xd0\xb0"), "");
	ck_assert_str_eq(find_conf(""), "");

	memset(longer, 'a', sizeof(longer));
	memcpy(longer, "room-", 5);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_str_eq(find_conf(longer), "");
}
END_TEST

START_TEST(digest_algorithms_follow_the_user_agent)
{
	struct pl ua;

	assert_read(0, "");
	pl_set_str(&ua, "baresip v1.0.0 (x86_64/linux)");
	ck_assert_int_eq(cfg_digest_find(cfg, &ua)->algv[0], DIGEST_MD5);
	ck_assert_uint_eq(cfg_digest_find(cfg, &ua)->algc, 1);
	pl_set_str(&ua, "Linphone");
	ck_assert_int_eq(cfg_digest_find(cfg, &ua)->algv[0], DIGEST_SHA256);
	ck_assert_uint_eq(cfg_digest_find(cfg, NULL)->algc, 2);
}
END_TEST

/* A file of the source tree, zero-terminated; caller derefs */
static char *source_file(const char *name)
{
	const char *srcdir = getenv("srcdir");
	struct cfg_file *f = NULL;
	const char *why = "";
	char *path = NULL, *text = NULL;

	ck_assert_int_eq(re_sdprintf(&path, "%s/%s", srcdir ? srcdir : ".", name), 0);
	ck_assert_msg(cfg_file_load(&f, path, CFG_TRUST_PUBLIC, &why) == 0, "%s: %s", path, why);
	ck_assert_int_eq(str_dup(&text, f->text), 0);
	mem_deref(f);
	mem_deref(path);

	return text;
}

START_TEST(the_sample_file_is_valid_and_secure)
{
	char *text = source_file("conf/conclave.conf");
	struct le *le;

	/* The sample calls the certificate server.pem */
	(void)snprintf(err, sizeof(err), "%s/server.pem", dir);
	ck_assert_int_eq(link(path_of("cert.pem"), err), 0);
	put("conclave.conf", 0600, text, strlen(text));
	mem_deref(text);
	ck_assert_msg(cfg_read(&cfg, file, err, sizeof(err)) == 0, "%s", err);

	for (unsigned i = 0; i < cfg->listenc; i++)
		ck_assert_int_eq(cfg->listenv[i].tp, SIP_TRANSP_TLS);
	ck_assert_int_eq(cfg_digest_find(cfg, NULL)->algv[0], DIGEST_SHA256);
	ck_assert_uint_eq(list_count(&cfg->confl), 2);
	LIST_FOREACH(&cfg->confl, le) {
		const struct cfg_conf *conf = le->data;

		ck_assert_uint_gt(conf->joinc, 0);
		for (unsigned i = 0; i < conf->joinc; i++)
			ck_assert_str_ne(conf->joinv[i], "*");
		for (unsigned i = 0; i < conf->suitec; i++)
			ck_assert(!suite_by_id(conf->suitev[i])->weak);
	}
}
END_TEST

START_TEST(the_sample_file_shows_the_defaults_of_the_table)
{
	const struct cfg_row *row = &cfg_rowv[_i];
	char *text = source_file("conf/conclave.conf"), *want = NULL, *p;
	char name[64];

	/* Lists may be broken into lines and have blanks: scalars only */
	(void)snprintf(name, sizeof(name), "#%s = ", row->name);
	p = strstr(text, name);
	if (p && row->def && !row->kind->size) {
		ck_assert_int_eq(re_sdprintf(&want, row->kind->quoted ? "#%s = \"%s\"\n" : "#%s = %s\n",
					     row->name, row->def), 0);
		ck_assert_msg(0 == strncmp(p, want, strlen(want)), "the sample lacks: %s", want);
	}
	mem_deref(want);
	mem_deref(text);
}
END_TEST

/* What conclave.conf(5) must say about a row */
static void manual_block(char *buf, size_t size, const struct cfg_row *row)
{
	size_t n = (size_t)snprintf(buf, size, ".It Cm %s\n%s.\n", row->name, row->help);

	if (row->names) {
		n += (size_t)snprintf(buf + n, size - n, "One of");
		for (unsigned i = 0; row->names[i]; i++)
			n += (size_t)snprintf(buf + n, size - n, "%s %s", i ? "," : "", row->names[i]);
		n += (size_t)snprintf(buf + n, size - n, ".\n");
	}
	else if (row->kind->size) {
		n += (size_t)snprintf(buf + n, size - n, "A list of %u to %u items, each %s.\n",
				      row->min, row->max, row->kind->what);
	}
	else if (row->kind == &cfg_kind_u32 || row->kind == &cfg_kind_u16) {
		n += (size_t)snprintf(buf + n, size - n, "A number from %u to %u.\n", row->min, row->max);
	}

	if (!row->def) {
		(void)snprintf(buf + n, size - n, row->min ? "Must be set.\n" : "Default: unset.\n");
		return;
	}
	n += (size_t)snprintf(buf + n, size - n, "Default: ");
	for (const char *p = row->def; *p; p++)
		n += (size_t)snprintf(buf + n, size - n, *p == ',' ? ", " : "%c", *p);
	(void)snprintf(buf + n, size - n, ".\n");
}

START_TEST(the_manual_says_of_each_setting_what_the_table_says)
{
	char *text = source_file("docs/conclave.conf.5"), *at;
	char block[1024];

	manual_block(block, sizeof(block), &cfg_rowv[_i]);
	at = strstr(text, block);
	ck_assert_msg(at != NULL, "docs/conclave.conf.5 lacks:\n%s", block);
	mem_deref(text);
}
END_TEST

START_TEST(the_manual_names_no_setting_that_the_table_lacks)
{
	char *text = source_file("docs/conclave.conf.5");
	size_t n = 0;

	for (const char *p = strstr(text, "\n.It Cm "); p; p = strstr(p + 1, "\n.It Cm "))
		n++;
	ck_assert_uint_eq(n, cfg_rowc);
	mem_deref(text);
}
END_TEST

START_TEST(keyings_have_names)
{
	enum keying k = KEYING_AUTO;

	for (unsigned i = KEYING_ENDPOINT; i <= KEYING_AUTO; i++) {
		ck_assert_int_eq(cfg_keying_parse(cfg_keying_name((enum keying)i), &k), 0);
		ck_assert_uint_eq(k, i);
	}
	ck_assert_int_eq(cfg_keying_parse("none", &k), EINVAL);
	ck_assert_int_eq(k, KEYING_AUTO);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cfg");
	TCase *tc = tcase_create("cfg");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_value_arrives_where_it_belongs);
	tcase_add_test(tc, what_is_not_set_has_the_default_of_the_table);
	tcase_add_loop_test(tc, a_bad_line_is_named_with_file_line_and_reason, 0, ARRAY_SIZE(linecasev));
	tcase_add_test(tc, a_failed_read_leaves_the_old_configuration_and_the_parser_usable);
	tcase_add_test(tc, a_file_that_is_not_there_or_not_text_is_refused);
	tcase_add_test(tc, an_error_text_never_overruns_a_small_buffer);
	tcase_add_test(tc, what_is_printed_reads_back_the_same);
	tcase_add_loop_test(tc, a_users_file_is_private_and_well_formed, 0, ARRAY_SIZE(usercasev));
	tcase_add_test(tc, a_users_file_of_somebody_else_is_refused);
	tcase_add_test(tc, a_zero_byte_in_the_users_file_is_refused);
	tcase_add_test(tc, a_key_that_others_can_read_is_refused);
	tcase_add_test(tc, rules_that_everybody_can_write_are_refused);
	tcase_add_test(tc, a_user_is_found_with_and_without_the_realm);
	tcase_add_loop_test(tc, a_rule_matches_the_authenticated_identity_and_nothing_else, 0, ARRAY_SIZE(rulev));
	tcase_add_test(tc, the_first_section_whose_pattern_matches_decides);
	tcase_add_test(tc, digest_algorithms_follow_the_user_agent);
	tcase_add_test(tc, keyings_have_names);
	tcase_add_test(tc, the_sample_file_is_valid_and_secure);
	tcase_add_loop_test(tc, the_sample_file_shows_the_defaults_of_the_table, 0, (int)cfg_rowc);
	tcase_add_loop_test(tc, the_manual_says_of_each_setting_what_the_table_says, 0, (int)cfg_rowc);
	tcase_add_test(tc, the_manual_names_no_setting_that_the_table_lacks);
	suite_add_tcase(s, tc);

	return check_run(s);
}
