/**
 * @file cfg.h  Configuration of conclaved
 *
 * Read completely from one file (libconfuse) into one struct; the running
 * configuration is only ever swapped whole.  Names in this struct are the
 * names in the file; conf/conclave.conf is the commented sample.
 *
 * Ownership:  libre object, drop with mem_deref()
 */
#ifndef CONCLAVE_CFG_H
#define CONCLAVE_CFG_H

#include "re_compat.h"
#include "codec.h"
#include "log.h"
#include "suite.h"

enum {
	CFG_LISTEN_MAX = 8,
	CFG_RULE_MAX = 64,
	CFG_PEER_MAX = 16,
};

enum keying { KEYING_ENDPOINT, KEYING_GROUP, KEYING_AUTO };
enum digest_alg { DIGEST_NONE = 0, DIGEST_MD5, DIGEST_SHA256, DIGEST_ALG_MAX = 2 };
enum owner_leaves { OWNER_CLOSES, OWNER_HANDS_OVER, OWNER_STAYS };

/** Callers who ask not to be known: nobody (433), those who are known to the
 *  focus alone, or even those who prove no identity */
enum anonymous { ANON_FORBID, ANON_TRUSTED, ANON_ALLOW };

/* Floor control */
enum cfg_floor { CFG_FLOOR_NONE, CFG_FLOOR_OPEN, CFG_FLOOR_CHAIRED };
enum cfg_floor_gates { CFG_GATES_AUTO, CFG_GATES_HELD, CFG_GATES_ALWAYS, CFG_GATES_NEVER };
enum cfg_floor_order { CFG_FLOOR_FIRST_COME, CFG_FLOOR_ROUND_ROBIN };
enum cfg_floor_absent { CFG_FLOOR_DENY, CFG_FLOOR_AUTOMATIC };
enum { CFG_DTMF_OFF = 0 };              /* else telephone-event + 1           */

/** One socket to listen on: "tls:127.0.0.1:5061", "tcp:[::1]:5060", "udp:..." */
struct cfg_listen {
	enum sip_transp tp;
	struct sa addr;
};

/** Does a client take a new key from a re-INVITE or UPDATE? */
enum follows { FOLLOWS_ASK, FOLLOWS_YES, FOLLOWS_NO };

/** What to expect of a kind of client: digest algorithms to offer, in order of
 *  preference, whether it follows a rekey, and what it can bear to be told */
struct cfg_digest {
	char *user_agent;               /* fnmatch pattern; NULL: everybody else */
	enum digest_alg algv[DIGEST_ALG_MAX];
	unsigned algc;
	enum follows follows;           /* for keying auto                     */
	bool refer_results;             /* of a REFER in its call              */
};

/**
 * One "conference" section.  uri is an fnmatch-style pattern on the user part
 * and an exact host, e.g. "sip:factory@example.org" or "sip:room-*@example.org";
 * the first section that matches a dialled URI decides.
 */
struct cfg_conf {
	struct le le;
	char *title;                    /* section name, for logs              */
	char *uri;
	bool factory;                   /* INVITE here makes an ad hoc conference */
	/* Default deny: an empty list allows nobody.  Entries are
	 * "sip:alice@example.org", "*@example.org" or "*" (any authenticated). */
	char *createv[CFG_RULE_MAX];
	unsigned createc;
	char *joinv[CFG_RULE_MAX];
	unsigned joinc;
	char *invitev[CFG_RULE_MAX];    /* whom we may call                    */
	unsigned invitec;
	char *referv[CFG_RULE_MAX];     /* who may have us call and remove:
	                                   rules, or a word for roles          */
	unsigned referc;
	unsigned rejoin_ban_s;          /* after being removed                 */
	enum anonymous anonymous;
	char *subscribev[CFG_RULE_MAX]; /* beside participants                 */
	unsigned subscribec;
	char *chairv[CFG_RULE_MAX];     /* besides the owner                   */
	unsigned chairc;
	char *listenerv[CFG_RULE_MAX];  /* who are never heard                 */
	unsigned listenerc;
	enum owner_leaves owner_leaves;
	enum keying keying;
	enum suite_id suitev[SUITE_MAX];  /* allowed, in our order of preference when we offer */
	unsigned suitec;
	enum codec_id codecv[CODEC_MAX];  /* likewise */
	unsigned codecc;
	unsigned max_participants;
	unsigned max_speakers;
	enum cfg_floor floor;
	enum cfg_floor_gates floor_gates;
	enum cfg_floor_order floor_order;
	enum cfg_floor_absent floor_no_chair;
	unsigned floor_holders;         /* at a time                           */
	unsigned floor_requests;        /* ongoing ones of a participant       */
	unsigned floor_hold_limit_s;    /* 0: none                             */
	unsigned floor_dtmf;            /* enum: off, then events 0 to 11      */
	unsigned rekey_window_ms;       /* joins and leaves inside it share an epoch */
	unsigned join_rekey_interval_ms; /* least time between epochs for joins */
	unsigned leave_grace_ms;        /* a leaver's epoch is sent so long at most */
	unsigned rekey_max_age_s;       /* of an epoch; 0: no limit            */
	unsigned own_key_max_age_s;     /* of a key of a call's own; 0: no limit */
	unsigned trial_overlap_ms;      /* auto: both streams so long at most  */
};

/**
 * One "route" section: the way to all users of a domain ("*": of any other)
 */
struct cfg_route {
	struct le le;
	char *domain;
	char *hop;                      /* host[:port], always TLS             */
	char *auth_realm;               /* only a challenge with this one is answered */
	char *auth_user;
	char *auth_password_file;
	char *password;                 /* from that file; wiped on free       */
};

/** One "trusted_peer" section: whose P-Asserted-Identity is believed */
struct cfg_peer {
	struct le le;
	char *title;
	struct sa addrv[CFG_PEER_MAX];  /* it comes from one of these, if any  */
	unsigned addrc;
	char *certv[CFG_PEER_MAX];      /* and its certificate names one of these */
	unsigned certc;
	char *assertv[CFG_RULE_MAX];    /* whom it may speak for               */
	unsigned assertc;
};

struct cfg_user {
	struct le le;
	char *user;                     /* "alice" or "alice@example.org"      */
	char *password;                 /* wiped on free                       */
};

struct cfg {
	char *file;
	struct cfg_listen listenv[CFG_LISTEN_MAX];
	unsigned listenc;
	char *tls_certificate;          /* PEM with key and chain              */
	char *tls_ca;                   /* PEM; client certificates are asked for if set */
	char *tls_server_ca;            /* PEM; of whom we call; NULL: tls_ca   */
	char *realm;                    /* digest realm and default domain of users */
	char *domainv[CFG_LISTEN_MAX];  /* host parts that are ours            */
	unsigned domainc;
	char *users;                    /* file of user:password lines         */
	struct list userl;              /* struct cfg_user                     */
	struct cfg_digest digestv[16];  /* the one without pattern is last     */
	unsigned digestc;
	struct sa media_addrv[2];       /* at most one per family              */
	unsigned media_addrc;
	uint16_t media_port_min;
	uint16_t media_port_max;
	struct sa advertised_address;   /* unset: the media address itself     */
	char *advertised_sip;           /* host[:port] in our Contact; NULL: where the request came in */
	struct cfg_listen bfcp_listenv[1];  /* for floor control               */
	unsigned bfcp_listenc;          /* 0: beside SIP, any port             */
	unsigned mixers;                /* 0: one per core                     */
	char *mixer_path;               /* NULL: beside conclaved, then libexec */
	char *control_socket;           /* path; NULL: none                    */
	bool log_syslog;
	enum log_level log_level;
	unsigned max_conferences;
	unsigned max_calls;
	unsigned max_user_calls;        /* of one identity; 0: no bound        */
	unsigned max_strangers;         /* connections of one source on which nobody is known; 0: no bound */
	unsigned max_subscriptions;     /* of one user                         */
	unsigned event_interval_ms;     /* least time between NOTIFYs of changes */
	unsigned media_timeout_s;       /* leg without authenticated packets is ended; 0: never */
	unsigned dial_timeout_s;        /* a call of ours rings so long        */
	bool registrar;                 /* REGISTER is served                  */
	unsigned max_registrations;     /* contacts of all users               */
	unsigned max_contacts;          /* of one user                         */
	unsigned register_expires_s;    /* longest lifetime of a contact       */
	struct list routel;             /* struct cfg_route, in file order     */
	struct list peerl;              /* struct cfg_peer, in file order      */
	struct list confl;              /* struct cfg_conf, in file order      */
};

/**
 * Read and check a configuration with everything it names (users,
 * certificate files)
 *
 * @param cfgp  Where to put it, caller owns it; untouched on error
 * @param file  Path
 * @param errbuf  Out: "file:line: reason" on error, zero-terminated
 *                ("file: reason" if it is the file as a whole)
 * @param size  Size of errbuf
 *
 * @return 0 if success, otherwise errno
 */
int cfg_read(struct cfg **cfgp, const char *file, char *errbuf, size_t size);

/**
 * Print the effective configuration in the file's own syntax (no secrets);
 * not called cfg_print(): that name is libconfuse's
 */
int cfg_show(struct re_printf *pf, const struct cfg *cfg);

/**
 * Does one rule ("sip:alice@example.org", "*@example.org", "*") allow an
 * identity ("sip:alice@example.org")?  Compares after one normalisation:
 * scheme dropped, host in lower case, user part byte-wise.
 */
bool cfg_rule_match(const char *rule, const char *identity);

/** Does one of these rules? */
bool cfg_rules_match(char *const rulev[], unsigned rulec, const char *identity);

/** May this identity refer, by a rule that is no word for a role? */
bool cfg_referrer_match(const struct cfg_conf *cc, const char *identity);

/** Does the list have this word ("owner", "chairs", "members")? */
bool cfg_referrer_word(const struct cfg_conf *cc, const char *word);

/** The route for a host part in lower case; NULL: by the URI itself */
const struct cfg_route *cfg_route_find(const struct cfg *cfg, const char *host);

/**
 * Bring a URI to the one form in which identities are compared:
 * "sip:user@host", without port, parameters and headers
 *
 * @return 0, EINVAL if it has none (no user part, not SIP), or EOVERFLOW
 */
int cfg_identity(char *buf, size_t size, const struct pl *uri);

/** The user part of a URI in that form: escapes only where they must be */
int cfg_user_part(char *buf, size_t size, const struct pl *user);

/** First section whose uri matches user@host; NULL: none.  host must be ours already */
const struct cfg_conf *cfg_conf_find(const struct cfg *cfg, const struct pl *user);

const struct cfg_user *cfg_user_find(const struct cfg *cfg, const struct pl *user);

/** Algorithms for a User-Agent (may be NULL) */
const struct cfg_digest *cfg_digest_find(const struct cfg *cfg, const struct pl *user_agent);

const char *cfg_keying_name(enum keying k);
const char *cfg_floor_name(enum cfg_floor floor);
int cfg_floor_parse(const char *s, enum cfg_floor *fp);
int cfg_keying_parse(const char *s, enum keying *kp);

#endif
