/**
 * @file cfgtab.c  The table of settings, with every default and range
 *
 * The only place where a default or a limit of a setting is written.
 */
#include <errno.h>
#include <string.h>
#include "ctlpath.h"
#include "cfgtab.h"

static const char *const owner_namev[] = { "close", "hand_over", "stay", NULL };
static const char *const anonymous_namev[] = { "forbid", "trusted", "allow", NULL };
static const char *const floor_namev[] = { "none", "open", "chaired", NULL };
static const char *const gates_namev[] = { "auto", "held", "always", "never", NULL };
static const char *const order_namev[] = { "first_come", "round_robin", NULL };
static const char *const absent_namev[] = { "deny", "automatic", NULL };
/* CFG_DTMF_OFF, then the events of RFC 4733 section 3.2 */
static const char *const dtmf_namev[] = {
	"off", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#", NULL
};
static const char *const keying_namev[] = { "endpoint", "group", "auto", NULL };

static const char *const follows_namev[] = { "ask", "yes", "no", NULL };

#define TOP(field) offsetof(struct cfg, field)
#define DIG(field) offsetof(struct cfg_digest, field)
#define ROUTE(field) offsetof(struct cfg_route, field)
#define PEER(field) offsetof(struct cfg_peer, field)
#define CONF(field) offsetof(struct cfg_conf, field)

const struct cfg_row cfg_rowv[] = {
	{ CFG_SCOPE_TOP, "listen", &cfg_kind_listen, TOP(listenv), TOP(listenc),
	  "tls:0.0.0.0:5061", 1, CFG_LISTEN_MAX, NULL,
	  "Sockets for SIP: tls, tcp or udp, address and port (0: any free port)" },
	{ CFG_SCOPE_TOP, "tls_certificate", &cfg_kind_path, TOP(tls_certificate), 0,
	  NULL, 0, CFG_TEXT_MAX, NULL,
	  "PEM file with private key, certificate and chain; TLS listeners need it" },
	{ CFG_SCOPE_TOP, "tls_ca", &cfg_kind_path, TOP(tls_ca), 0,
	  NULL, 0, CFG_TEXT_MAX, NULL,
	  "PEM file with the authorities of client certificates; unset: none are asked for" },
	{ CFG_SCOPE_TOP, "tls_server_ca", &cfg_kind_path, TOP(tls_server_ca), 0,
	  NULL, 0, CFG_TEXT_MAX, NULL,
	  "PEM file with the authorities of the servers and phones that are called; unset: tls_ca" },
	{ CFG_SCOPE_TOP, "realm", &cfg_kind_host, TOP(realm), 0,
	  NULL, 1, CFG_ADDR_HOST_MAX, NULL,
	  "Digest realm, and domain of users that are listed without one" },
	{ CFG_SCOPE_TOP, "domains", &cfg_kind_domain, TOP(domainv), TOP(domainc),
	  NULL, 0, CFG_LISTEN_MAX, NULL,
	  "Host parts of SIP URIs that are ours; unset: the realm" },
	{ CFG_SCOPE_TOP, "users", &cfg_kind_path, TOP(users), 0,
	  NULL, 0, CFG_TEXT_MAX, NULL,
	  "File with lines user:password, readable by its owner only; this or tls_ca must be set" },
	{ CFG_SCOPE_TOP, "media_address", &cfg_kind_media, TOP(media_addrv), TOP(media_addrc),
	  NULL, 1, 2, NULL,
	  "Local addresses for SRTP, at most one IPv4 and one IPv6" },
	{ CFG_SCOPE_TOP, "media_ports_min", &cfg_kind_u16, TOP(media_port_min), 0,
	  "16384", 1024, 65534, NULL,
	  "First UDP port for SRTP, even" },
	{ CFG_SCOPE_TOP, "media_ports_max", &cfg_kind_u16, TOP(media_port_max), 0,
	  "32767", 1025, 65535, NULL,
	  "Last UDP port for SRTP, odd" },
	{ CFG_SCOPE_TOP, "advertised_address", &cfg_kind_sa, TOP(advertised_address), 0,
	  NULL, 0, CFG_TEXT_MAX, NULL,
	  "Address told to phones in SDP (behind NAT); unset: media_address" },
	{ CFG_SCOPE_TOP, "advertised_sip", &cfg_kind_hostport, TOP(advertised_sip), 0,
	  NULL, 0, CFG_TEXT_MAX, NULL,
	  "A host[:port] for our Contact; unset: where the request came in" },
	{ CFG_SCOPE_TOP, "bfcp_listen", &cfg_kind_listen, TOP(bfcp_listenv), TOP(bfcp_listenc),
	  NULL, 0, 1, NULL,
	  "Socket for floor control, tls:address:port; unset: the address of the first TLS listener, any port" },
	{ CFG_SCOPE_TOP, "mixers", &cfg_kind_u32, TOP(mixers), 0,
	  "0", 0, 256, NULL,
	  "Mixer processes; 0: one per core" },
	{ CFG_SCOPE_TOP, "mixer_path", &cfg_kind_path, TOP(mixer_path), 0,
	  NULL, 0, CFG_TEXT_MAX, NULL,
	  "Program conclave-mixer; unset: beside conclaved, then libexec" },
	{ CFG_SCOPE_TOP, "control_socket", &cfg_kind_path, TOP(control_socket), 0,
	  CTL_SOCKET_PATH, 0, 100, NULL,
	  "Socket for conclavectl, mode 0600; empty: none" },
	{ CFG_SCOPE_TOP, "log", &cfg_kind_log, TOP(log_syslog), 0,
	  "stderr", 0, 0, NULL,
	  "Where log lines go: stderr or syslog" },
	{ CFG_SCOPE_TOP, "log_level", &cfg_kind_level, TOP(log_level), 0,
	  "info", 0, 0, NULL,
	  "Highest level that is logged: error, warn, info or debug" },
	{ CFG_SCOPE_TOP, "max_conferences", &cfg_kind_u32, TOP(max_conferences), 0,
	  "1000", 1, 100000, NULL,
	  "Conferences at a time; one more is refused with 503" },
	{ CFG_SCOPE_TOP, "max_calls", &cfg_kind_u32, TOP(max_calls), 0,
	  "4000", 1, 100000, NULL,
	  "Calls at a time; one more is refused with 503" },
	{ CFG_SCOPE_TOP, "max_user_calls", &cfg_kind_u32, TOP(max_user_calls), 0,
	  "100", 0, 100000, NULL,
	  "Calls of one user at a time; one more is refused with 503; 0: no bound" },
	{ CFG_SCOPE_TOP, "max_strangers", &cfg_kind_u32, TOP(max_strangers), 0,
	  "256", 0, 65535, NULL,
	  "Connections of one address (IPv6: /64) on which nobody has authenticated; with so many, a new one takes the place of the oldest if that is 5 s old, and is closed otherwise; 0: no bound" },
	{ CFG_SCOPE_TOP, "max_subscriptions", &cfg_kind_u32, TOP(max_subscriptions), 0,
	  "20", 0, 100000, NULL,
	  "Conference subscriptions of one user at a time; one more is refused with 503, as is one of too many"
	  " in a row: after so many at once (64, if that is more) one a second" },
	{ CFG_SCOPE_TOP, "event_interval", &cfg_kind_u32, TOP(event_interval_ms), 0,
	  "1000", 0, 60000, NULL,
	  "Least milliseconds between two notifications of changes to one subscriber" },
	{ CFG_SCOPE_TOP, "media_timeout", &cfg_kind_u32, TOP(media_timeout_s), 0,
	  "60", 0, 86400, NULL,
	  "Seconds without an authenticated packet after which a leg is ended; 0: never" },
	{ CFG_SCOPE_TOP, "dial_timeout", &cfg_kind_u32, TOP(dial_timeout_s), 0,
	  "60", 5, 600, NULL,
	  "Seconds after which a call that we make and nobody answers, on any phone, is given up" },

	{ CFG_SCOPE_TOP, "registrar", &cfg_kind_bool, TOP(registrar), 0,
	  "false", 0, 0, NULL,
	  "With true, phones of our users can register here (TLS only), and are called on their connection" },
	{ CFG_SCOPE_TOP, "max_registrations", &cfg_kind_u32, TOP(max_registrations), 0,
	  "10000", 1, 1000000, NULL,
	  "Contacts registered at a time; one more is refused with 503" },
	{ CFG_SCOPE_TOP, "max_contacts", &cfg_kind_u32, TOP(max_contacts), 0,
	  "8", 1, 16, NULL,
	  "Contacts of one user; one more is refused with 403" },
	{ CFG_SCOPE_TOP, "register_expires", &cfg_kind_u32, TOP(register_expires_s), 0,
	  "3600", 60, 86400, NULL,
	  "Seconds after which a phone has to register again, unless it asks for less" },

	{ CFG_SCOPE_DIGEST, "digest", &cfg_kind_digest, DIG(algv), DIG(algc),
	  "SHA-256", 1, DIGEST_ALG_MAX, NULL,
	  "Digest algorithms to offer, best first: SHA-256, MD5 (inside TLS only)" },

	{ CFG_SCOPE_DIGEST, "follows_rekey", &cfg_kind_enum, DIG(follows), 0,
	  "ask", 0, 0, follows_namev,
	  "Keying auto: does the client take new keys? yes, no, or ask: find out in its first call" },
	{ CFG_SCOPE_DIGEST, "refer_results", &cfg_kind_bool, DIG(refer_results), 0,
	  "true", 0, 0, NULL,
	  "With false, a client that sends REFER in its call is not told of success, at which some hang up" },

	{ CFG_SCOPE_CONF, "uri", &cfg_kind_uri, CONF(uri), 0,
	  NULL, 1, CFG_TEXT_MAX, NULL,
	  "SIP URI; its user part may be a pattern (* ? [a-z]), its host is one of domains" },
	{ CFG_SCOPE_CONF, "factory", &cfg_kind_bool, CONF(factory), 0,
	  "false", 0, 0, NULL,
	  "With true, a call to uri makes a new conference with a URI of its own" },
	{ CFG_SCOPE_CONF, "create", &cfg_kind_rule, CONF(createv), CONF(createc),
	  NULL, 0, CFG_RULE_MAX, NULL,
	  "Who may create: sip:user@domain, *@domain or * (anybody known); unset: nobody" },
	{ CFG_SCOPE_CONF, "join", &cfg_kind_rule, CONF(joinv), CONF(joinc),
	  NULL, 0, CFG_RULE_MAX, NULL,
	  "Who may join, likewise; a factory's rules also hold for the conferences it made" },
	{ CFG_SCOPE_CONF, "subscribe", &cfg_kind_rule, CONF(subscribev), CONF(subscribec),
	  NULL, 0, CFG_RULE_MAX, NULL,
	  "Who may watch the roster besides participants, likewise; unset: nobody" },
	{ CFG_SCOPE_CONF, "invite", &cfg_kind_rule, CONF(invitev), CONF(invitec),
	  NULL, 0, CFG_RULE_MAX, NULL,
	  "Who may be called by the conference, whoever asks for it; unset: nobody" },
	{ CFG_SCOPE_CONF, "refer", &cfg_kind_referrer, CONF(referv), CONF(referc),
	  "owner,chairs", 0, CFG_RULE_MAX, NULL,
	  "Who may have others called or removed: owner, chairs, members (who are in it, but no listeners), or a rule for some of join" },
	{ CFG_SCOPE_CONF, "rejoin_ban", &cfg_kind_u32, CONF(rejoin_ban_s), 0,
	  "300", 0, 86400, NULL,
	  "Seconds for which somebody who was removed cannot come back uninvited" },
	{ CFG_SCOPE_CONF, "anonymous", &cfg_kind_enum, CONF(anonymous), 0,
	  "trusted", 0, 0, anonymous_namev,
	  "Callers who want to be anonymous: refused (forbid), admitted if we know them (trusted), or even if not (allow)" },
	{ CFG_SCOPE_CONF, "chairs", &cfg_kind_rule, CONF(chairv), CONF(chairc),
	  NULL, 0, CFG_RULE_MAX, NULL,
	  "Who chairs besides the owner, by the rules of create and join" },
	{ CFG_SCOPE_CONF, "listeners", &cfg_kind_rule, CONF(listenerv), CONF(listenerc),
	  NULL, 0, CFG_RULE_MAX, NULL,
	  "Who of join only listens, unless a chair makes them members" },
	{ CFG_SCOPE_CONF, "owner_leaves", &cfg_kind_enum, CONF(owner_leaves), 0,
	  "close", 0, 0, owner_namev,
	  "Whether the conference ends with its owner (close), goes to the chair who has been in longest and ends if there is none (hand_over), or ends with the last one (stay)" },
	{ CFG_SCOPE_CONF, "keying", &cfg_kind_enum, CONF(keying), 0,
	  "endpoint", 0, 0, keying_namev,
	  "One key per leg (endpoint), one for all who hear the same (group), or group for legs that follow a rekey (auto)" },
	{ CFG_SCOPE_CONF, "suites", &cfg_kind_suite, CONF(suitev), CONF(suitec),
	  "AEAD_AES_256_GCM,AEAD_AES_128_GCM,AES_256_CM_HMAC_SHA1_80,AES_CM_128_HMAC_SHA1_80",
	  1, SUITE_MAX, NULL,
	  "SRTP suites allowed, best first; AES_CM_128_HMAC_SHA1_32 only if it is named here" },
	{ CFG_SCOPE_CONF, "codecs", &cfg_kind_codec, CONF(codecv), CONF(codecc),
	  "opus,G722,PCMA,PCMU", 1, CODEC_MAX, NULL,
	  "Codecs allowed, best first" },
	{ CFG_SCOPE_CONF, "max_participants", &cfg_kind_u32, CONF(max_participants), 0,
	  "100", 2, 100000, NULL,
	  "Participants of one conference; one more is refused with 486" },
	/* RFC 3550 section 5.1: a mixed packet names at most 15 contributing sources */
	{ CFG_SCOPE_CONF, "max_speakers", &cfg_kind_u32, CONF(max_speakers), 0,
	  "6", 1, 15, NULL,
	  "How many are decoded and mixed at a time" },
	{ CFG_SCOPE_CONF, "floor", &cfg_kind_enum, CONF(floor), 0,
	  "none", 0, 0, floor_namev,
	  "Floor control (BFCP): none, open (whoever asks gets it in turn) or chaired (a chair gives it)" },
	{ CFG_SCOPE_CONF, "floor_gates", &cfg_kind_enum, CONF(floor_gates), 0,
	  "auto", 0, 0, gates_namev,
	  "Who is heard: holders alone while somebody holds the floor (held), always holders alone (always), all (never); auto: held if open, always if chaired" },
	{ CFG_SCOPE_CONF, "floor_order", &cfg_kind_enum, CONF(floor_order), 0,
	  "first_come", 0, 0, order_namev,
	  "Order of the queue within a priority: first_come, or round_robin (who spoke longest ago first)" },
	{ CFG_SCOPE_CONF, "floor_holders", &cfg_kind_u32, CONF(floor_holders), 0,
	  "1", 1, 15, NULL,
	  "How many may hold the floor at a time" },
	{ CFG_SCOPE_CONF, "floor_requests", &cfg_kind_u32, CONF(floor_requests), 0,
	  "1", 1, 16, NULL,
	  "Ongoing floor requests of one participant; one more is an error" },
	{ CFG_SCOPE_CONF, "floor_hold_limit", &cfg_kind_u32, CONF(floor_hold_limit_s), 0,
	  "0", 0, 86400, NULL,
	  "Seconds after which the floor is taken from its holder; 0: never" },
	{ CFG_SCOPE_CONF, "floor_no_chair", &cfg_kind_enum, CONF(floor_no_chair), 0,
	  "deny", 0, 0, absent_namev,
	  "Chaired, while no chair is there: deny requests, or grant them in turn (automatic)" },
	{ CFG_SCOPE_CONF, "floor_dtmf", &cfg_kind_enum, CONF(floor_dtmf), 0,
	  "off", 0, 0, dtmf_namev,
	  "Key (0 to 9, * or #) by which a phone without BFCP asks for the floor and gives it back" },
	{ CFG_SCOPE_CONF, "rekey_window", &cfg_kind_u32, CONF(rekey_window_ms), 0,
	  "200", 0, 10000, NULL,
	  "Group keys: milliseconds in which joins and leaves share one new key" },
	{ CFG_SCOPE_CONF, "join_rekey_interval", &cfg_kind_u32, CONF(join_rekey_interval_ms), 0,
	  "0", 0, 60000, NULL,
	  "Group keys: least milliseconds between new keys for joins; joiners wait, leavers never" },
	{ CFG_SCOPE_CONF, "leave_grace", &cfg_kind_u32, CONF(leave_grace_ms), 0,
	  "2000", 0, 10000, NULL,
	  "Group keys: milliseconds for which a leaver's key is still used for slow members; a kick has 0" },
	/* 2^15 packets of 20 ms are 655 s; the mixer asks for a new key before that, too */
	{ CFG_SCOPE_CONF, "rekey_max_age", &cfg_kind_u32, CONF(rekey_max_age_s), 0,
	  "600", 0, 86400, NULL,
	  "Group keys: seconds after which a key is renewed without cause; 0: only when it is spent" },
	{ CFG_SCOPE_CONF, "own_key_max_age", &cfg_kind_u32, CONF(own_key_max_age_s), 0,
	  "86400", 0, 604800, NULL,
	  "Keys that a call has to itself: seconds after which it gets a fresh one, unless its phone is known to keep the first; 0: never" },
	/* some clients report every 5 s only (RFC 3550 section 6.2) */
	{ CFG_SCOPE_CONF, "trial_overlap", &cfg_kind_u32, CONF(trial_overlap_ms), 0,
	  "8000", 1000, 60000, NULL,
	  "Keying auto: milliseconds for which a client gets both streams until it proves that it follows" },

	{ CFG_SCOPE_PEER, "address", &cfg_kind_addr, PEER(addrv), PEER(addrc),
	  NULL, 0, CFG_PEER_MAX, NULL,
	  "IP addresses that the peer connects from; this or certificate must be set" },
	{ CFG_SCOPE_PEER, "certificate", &cfg_kind_domain, PEER(certv), PEER(certc),
	  NULL, 0, CFG_PEER_MAX, NULL,
	  "Names of which its certificate must have one: sip:domain or DNS name; needs tls_ca" },
	{ CFG_SCOPE_PEER, "asserts", &cfg_kind_rule, PEER(assertv), PEER(assertc),
	  "*", 1, CFG_RULE_MAX, NULL,
	  "Whose identity it may assert: rules as in join" },

	{ CFG_SCOPE_ROUTE, "hop", &cfg_kind_hostport, ROUTE(hop), 0,
	  NULL, 1, CFG_TEXT_MAX, NULL,
	  "A host[:port] to send requests for this domain to, over TLS; its certificate must name that host" },
	{ CFG_SCOPE_ROUTE, "auth_realm", &cfg_kind_host, ROUTE(auth_realm), 0,
	  NULL, 0, CFG_ADDR_HOST_MAX, NULL,
	  "Digest realm that the password is for; another one's challenge is never answered" },
	{ CFG_SCOPE_ROUTE, "auth_user", &cfg_kind_word, ROUTE(auth_user), 0,
	  NULL, 0, CFG_ADDR_USER_MAX, NULL,
	  "User name of the server at this hop" },
	{ CFG_SCOPE_ROUTE, "auth_password_file", &cfg_kind_path, ROUTE(auth_password_file), 0,
	  NULL, 0, CFG_TEXT_MAX, NULL,
	  "File whose first line is the password, readable by its owner only" },
};

const size_t cfg_rowc = ARRAY_SIZE(cfg_rowv);

_Static_assert(ARRAY_SIZE(cfg_rowv) <= CFG_ROW_MAX, "cfg_ctx.linev is too small");

const char *cfg_keying_name(enum keying k)
{
	return (unsigned)k < ARRAY_SIZE(keying_namev) - 1 ? keying_namev[k] : "?";
}

int cfg_keying_parse(const char *s, enum keying *kp)
{
	if (!s || !kp)
		return EINVAL;

	for (unsigned i = 0; keying_namev[i]; i++) {
		if (0 == strcmp(s, keying_namev[i])) {
			*kp = (enum keying)i;
			return 0;
		}
	}

	return EINVAL;
}

const char *cfg_floor_name(enum cfg_floor floor)
{
	return (unsigned)floor < ARRAY_SIZE(floor_namev) - 1 ? floor_namev[floor] : "?";
}

int cfg_floor_parse(const char *s, enum cfg_floor *fp)
{
	if (!s || !fp)
		return EINVAL;

	for (unsigned i = 0; floor_namev[i]; i++) {
		if (0 == strcmp(s, floor_namev[i])) {
			*fp = (enum cfg_floor)i;
			return 0;
		}
	}

	return EINVAL;
}
