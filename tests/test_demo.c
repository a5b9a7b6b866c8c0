/**
 * @file test_demo.c  Folder that conclaved --demo makes
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include "check_run.h"
#include "focus/demo.h"

static char dir[64];
static char base[48];


static void setup(void)
{
	log_init("test", false, LOG_LV_ERROR);
	strcpy(base, "/tmp/test_demo.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	ck_assert_int_gt(snprintf(dir, sizeof(dir), "%s/demo", base), 0);
}


static void teardown(void)
{
	static const char * const namev[] = {
		"demo/ca.key", "demo/ca.pem", "demo/server.pem", "demo/users",
		"demo/conclave.conf", "demo", "",
	};
	char path[128];

	for (size_t i = 0; i < sizeof(namev) / sizeof(namev[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", base, namev[i]);
		(void)remove(path);
	}
}


static int prepare(void)
{
	struct demo_opt opt = { .dir = dir, .port = 5099, .keying = KEYING_GROUP };
	char *conf = NULL;
	int err = demo_prepare(&opt, &conf);

	mem_deref(conf);
	return err;
}


static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}


static void slurp(const char *name, char *buf, size_t size)
{
	FILE *f = fopen(in_dir(name), "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(buf, 1, size - 1, f);
	fclose(f);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_lt(n, size - 1);
	buf[n] = '\0';
}


static void spoil(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}


static unsigned mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(in_dir(name), &st), 0);
	return st.st_mode & 07777;
}


static X509 *cert_read(const char *name)
{
	FILE *f = fopen(in_dir(name), "r");
	X509 *cert;

	ck_assert_ptr_nonnull(f);
	cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	ck_assert_ptr_nonnull(cert);
	return cert;
}


/* As a client does it: chain, purpose, dates, name */
static int verify(const char *host, const char *ip)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *ca = cert_read("ca.pem"), *cert = cert_read("server.pem");
	X509_VERIFY_PARAM *vp;
	int res;

	X509_STORE_add_cert(store, ca);
	X509_STORE_CTX_init(ctx, store, cert, NULL);
	vp = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_purpose(vp, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_flags(vp, X509_V_FLAG_X509_STRICT);
	if (host)
		X509_VERIFY_PARAM_set1_host(vp, host, 0);
	if (ip)
		X509_VERIFY_PARAM_set1_ip_asc(vp, ip);
	res = X509_verify_cert(ctx) == 1 ? 0 : X509_STORE_CTX_get_error(ctx);

	X509_free(cert);
	X509_free(ca);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return res;
}


START_TEST(files_are_there_and_secrets_are_for_the_owner_only)
{
	ck_assert_int_eq(prepare(), 0);
	ck_assert_uint_eq(mode_of(""), 0700);
	ck_assert_uint_eq(mode_of("users"), 0600);
	ck_assert_uint_eq(mode_of("ca.key"), 0600);
	ck_assert_uint_eq(mode_of("server.pem"), 0600);
	ck_assert_int_eq(access(in_dir("ca.pem"), R_OK), 0);
	ck_assert_int_eq(access(in_dir("conclave.conf"), R_OK), 0);
}
END_TEST


START_TEST(certificate_holds_for_localhost_and_loopback_and_nothing_else)
{
	ck_assert_int_eq(prepare(), 0);
	ck_assert_int_eq(verify("localhost", NULL), 0);
	ck_assert_int_eq(verify("127.0.0.1", NULL), 0);
	ck_assert_int_eq(verify(NULL, "127.0.0.1"), 0);
	ck_assert_int_eq(verify(NULL, "::1"), 0);
	ck_assert_int_eq(verify("example.org", NULL), X509_V_ERR_HOSTNAME_MISMATCH);
	ck_assert_int_eq(verify(NULL, "192.0.2.1"), X509_V_ERR_IP_ADDRESS_MISMATCH);
}
END_TEST


START_TEST(certificate_and_key_belong_together_and_load_into_a_context)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	ck_assert_int_eq(prepare(), 0);
	ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(ctx, in_dir("server.pem")), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(ctx, in_dir("server.pem"),
						     SSL_FILETYPE_PEM), 1);
	ck_assert_int_eq(SSL_CTX_check_private_key(ctx), 1);
	SSL_CTX_free(ctx);
}
END_TEST


START_TEST(there_are_four_users_with_long_and_different_passwords)
{
	static const char * const namev[] = { "alice", "bob", "carol", "dave" };
	char buf[1024], *save, *line, *seenv[4];
	unsigned c = 0;

	ck_assert_int_eq(prepare(), 0);
	slurp("users", buf, sizeof(buf));
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *pw = strchr(line, ':');

		ck_assert_uint_lt(c, 4);
		ck_assert_ptr_nonnull(pw);
		*pw++ = '\0';
		ck_assert_str_eq(line, namev[c]);
		ck_assert_uint_ge(strlen(pw), 20);
		for (unsigned i = 0; i < c; i++)
			ck_assert_str_ne(pw, seenv[i]);
		seenv[c++] = pw;
	}
	ck_assert_uint_eq(c, 4);
}
END_TEST


START_TEST(second_start_keeps_users_and_certificates)
{
	static const char * const namev[] = { "users", "ca.pem", "ca.key", "server.pem" };
	char before[4][4096], after[4096];

	ck_assert_int_eq(prepare(), 0);
	for (int i = 0; i < 4; i++)
		slurp(namev[i], before[i], sizeof(before[i]));
	ck_assert_int_eq(prepare(), 0);
	for (int i = 0; i < 4; i++) {
		slurp(namev[i], after, sizeof(after));
		ck_assert_str_eq(before[i], after);
	}
}
END_TEST


START_TEST(broken_server_certificate_is_made_anew_under_the_same_ca)
{
	char ca[4096], after[4096];

	ck_assert_int_eq(prepare(), 0);
	slurp("ca.pem", ca, sizeof(ca));
	spoil("server.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
	ck_assert_int_eq(prepare(), 0);
	slurp("ca.pem", after, sizeof(after));
	ck_assert_str_eq(ca, after);
	ck_assert_int_eq(verify(NULL, "127.0.0.1"), 0);
	ck_assert_uint_eq(mode_of("server.pem"), 0600);
}
END_TEST


/* Another start date, another end date; signed by the demo's own CA */
static void reissue(long from_s, long to_s)
{
	FILE *f = fopen(in_dir("ca.key"), "r");
	EVP_PKEY *ca = PEM_read_PrivateKey(f, NULL, NULL, NULL), *key;
	X509 *cert = cert_read("server.pem");

	fclose(f);
	f = fopen(in_dir("server.pem"), "r");
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	X509_gmtime_adj(X509_getm_notBefore(cert), from_s);
	X509_gmtime_adj(X509_getm_notAfter(cert), to_s);
	ck_assert_int_gt(X509_sign(cert, ca, EVP_sha256()), 0);
	f = fopen(in_dir("server.pem"), "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	PEM_write_X509(f, cert);
	fclose(f);
	X509_free(cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca);
}


START_TEST(expired_certificate_is_made_anew)
{
	ck_assert_int_eq(prepare(), 0);
	reissue(-7200, -3600);
	ck_assert_int_eq(verify(NULL, "127.0.0.1"), X509_V_ERR_CERT_HAS_EXPIRED);
	ck_assert_int_eq(prepare(), 0);
	ck_assert_int_eq(verify(NULL, "127.0.0.1"), 0);
}
END_TEST


START_TEST(certificate_from_the_future_is_made_anew)
{
	ck_assert_int_eq(prepare(), 0);
	reissue(3600, 365L * 86400);
	ck_assert_int_eq(prepare(), 0);
	ck_assert_int_eq(verify(NULL, "127.0.0.1"), 0);
}
END_TEST


START_TEST(lost_ca_key_makes_a_new_ca_and_a_certificate_that_fits_it)
{
	ck_assert_int_eq(prepare(), 0);
	spoil("ca.key", "");
	ck_assert_int_eq(prepare(), 0);
	ck_assert_int_eq(verify("localhost", NULL), 0);
}
END_TEST


START_TEST(configuration_is_written_from_the_options_at_each_start)
{
	struct demo_opt opt = { .dir = dir, .port = 0, .keying = KEYING_ENDPOINT };
	char buf[8192], *conf = NULL;

	ck_assert_int_eq(prepare(), 0);
	slurp("conclave.conf", buf, sizeof(buf));
	ck_assert_ptr_nonnull(strstr(buf, "tls:127.0.0.1:5099"));
	ck_assert_ptr_nonnull(strstr(buf, "keying = group"));

	ck_assert_int_eq(demo_prepare(&opt, &conf), 0);
	ck_assert_str_eq(conf + strlen(conf) - strlen("/demo/conclave.conf"),
			 "/demo/conclave.conf");
	mem_deref(conf);
	slurp("conclave.conf", buf, sizeof(buf));
	ck_assert_ptr_nonnull(strstr(buf, "tls:127.0.0.1:0"));
	ck_assert_ptr_nonnull(strstr(buf, "keying = endpoint"));
}
END_TEST


START_TEST(configuration_is_one_that_the_server_reads)
{
	struct cfg *cfg = NULL;
	char errbuf[256] = "";

	ck_assert_int_eq(prepare(), 0);
	ck_assert_msg(!cfg_read(&cfg, in_dir("conclave.conf"), errbuf, sizeof(errbuf)),
		      "%s", errbuf);
	ck_assert_uint_eq(cfg->listenc, 1);
	ck_assert_int_eq(cfg->listenv[0].tp, SIP_TRANSP_TLS);
	ck_assert_uint_eq(sa_port(&cfg->listenv[0].addr), 5099);
	ck_assert_uint_eq(list_count(&cfg->userl), 4);
	ck_assert_uint_eq(cfg->digestc, 3);
	ck_assert_uint_eq(cfg->digestv[0].algc, 1);
	ck_assert_int_eq(cfg->digestv[0].algv[0], DIGEST_MD5);
	ck_assert_uint_eq(list_count(&cfg->confl), 1);
	mem_deref(cfg);
}
END_TEST


START_TEST(folder_name_that_would_break_the_configuration_is_refused)
{
	struct demo_opt opt = { .port = 0 };
	char name[64], *conf = NULL;

	opt.dir = name;
	snprintf(name, sizeof(name), "%s/a\"b", base);
	ck_assert_int_eq(demo_prepare(&opt, &conf), EINVAL);
	ck_assert_ptr_null(conf);
	(void)rmdir(name);
}
END_TEST


START_TEST(folder_that_others_may_write_to_is_refused)
{
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(chmod(dir, 0777), 0);
	ck_assert_int_eq(prepare(), EPERM);
}
END_TEST


START_TEST(folder_of_another_user_is_refused)
{
	/* only root can give one away */
	if (geteuid() != 0)
		return;

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(chown(dir, 65534, 65534), 0);
	ck_assert_int_eq(prepare(), EPERM);
	ck_assert_int_eq(chown(dir, 0, 0), 0);
	ck_assert_int_eq(prepare(), 0);
}
END_TEST


START_TEST(folder_that_cannot_be_made_is_an_error)
{
	struct demo_opt opt = { .dir = "/nonexistent/demo" };
	char *conf = NULL;

	ck_assert_int_eq(demo_prepare(&opt, &conf), ENOENT);
	ck_assert_ptr_null(conf);
}
END_TEST


static TCase *tcase(void)
{
	TCase *tc = tcase_create("demo");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, files_are_there_and_secrets_are_for_the_owner_only);
	tcase_add_test(tc, certificate_holds_for_localhost_and_loopback_and_nothing_else);
	tcase_add_test(tc, certificate_and_key_belong_together_and_load_into_a_context);
	tcase_add_test(tc, there_are_four_users_with_long_and_different_passwords);
	tcase_add_test(tc, second_start_keeps_users_and_certificates);
	tcase_add_test(tc, broken_server_certificate_is_made_anew_under_the_same_ca);
	tcase_add_test(tc, expired_certificate_is_made_anew);
	tcase_add_test(tc, certificate_from_the_future_is_made_anew);
	tcase_add_test(tc, lost_ca_key_makes_a_new_ca_and_a_certificate_that_fits_it);
	tcase_add_test(tc, configuration_is_written_from_the_options_at_each_start);
	tcase_add_test(tc, configuration_is_one_that_the_server_reads);
	tcase_add_test(tc, folder_name_that_would_break_the_configuration_is_refused);
	tcase_add_test(tc, folder_that_others_may_write_to_is_refused);
	tcase_add_test(tc, folder_of_another_user_is_refused);
	tcase_add_test(tc, folder_that_cannot_be_made_is_an_error);
	return tc;
}


int main(void)
{
	Suite *s = suite_create("demo");

	suite_add_tcase(s, tcase());

	return check_run(s);
}
