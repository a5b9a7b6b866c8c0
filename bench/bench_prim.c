/**
 * @file bench_prim.c  What one packet must cost on this machine, right now
 *
 * The primitives under a mixer, each alone: receive a datagram through epoll
 * and recv(), AES-128-GCM by hand with OpenSSL EVP, send a datagram to a live
 * receiver, one Opus frame encoded and decoded by plain libopus.  CPU seconds
 * of this process per operation; one JSON object on stdout.
 *
 * bench_legs.py puts the mixer's figures of the same minute beside these.
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <opus.h>
#include "gcm.h"

enum {
	SOCKS   = 300,
	ROUNDS  = 40,
	REPEAT  = 5,              /* the best counts: the least disturbed     */
	PACKET  = GCM_PACKET,
	FRAME   = 960,
	FRAMES  = 100,
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}


static double cpu_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}


static double min(double a, double b)
{
	return a < b ? a : b;
}


/* ---- UDP ----------------------------------------------------------------- */

static int bound_socket(struct sockaddr_in *sa)
{
	socklen_t len = sizeof(*sa);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memset(sa, 0, sizeof(*sa));
	sa->sin_family = AF_INET;
	sa->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)sa, sizeof(*sa)) ||
	    getsockname(fd, (struct sockaddr *)sa, &len))
		die("socket");

	return fd;
}


static void drain(int ep, size_t left)
{
	struct epoll_event evv[64];
	char buf[1500];

	while (left) {
		int n = epoll_wait(ep, evv, 64, 1000);

		if (n <= 0)
			die("epoll_wait");
		for (int i = 0; i < n; i++) {
			while (recv(evv[i].data.fd, buf, sizeof(buf), 0) > 0)
				--left;
		}
	}
}


static void udp(double *send_s, double *recv_s)
{
	struct sockaddr_in sav[SOCKS], own;
	int fdv[SOCKS], fd = bound_socket(&own), ep = epoll_create1(0);
	char pkt[PACKET] = "";
	double t;

	for (int i = 0; i < SOCKS; i++) {
		struct epoll_event ev = { .events = EPOLLIN };

		ev.data.fd = fdv[i] = bound_socket(&sav[i]);
		if (epoll_ctl(ep, EPOLL_CTL_ADD, fdv[i], &ev))
			die("epoll_ctl");
	}

	*send_s = *recv_s = INFINITY;
	for (int r = 0; r < ROUNDS; r++) {
		t = cpu_s();
		for (int i = 0; i < SOCKS; i++) {
			if (sendto(fd, pkt, sizeof(pkt), 0,
				   (struct sockaddr *)&sav[i],
				   sizeof(sav[i])) < 0)
				die("sendto");
		}
		*send_s = min(*send_s, (cpu_s() - t) / (double)SOCKS);

		t = cpu_s();
		drain(ep, SOCKS);
		*recv_s = min(*recv_s, (cpu_s() - t) / (double)SOCKS);
	}

	for (int i = 0; i < SOCKS; i++)
		(void)close(fdv[i]);
	(void)close(fd);
	(void)close(ep);
}


/* ---- SRTP by hand -------------------------------------------------------- */

static void srtp_by_hand(double *protect_s, double *unprotect_s)
{
	static const uint8_t key[16] = "not a secret key";
	EVP_CIPHER_CTX *enc = gcm_new(key, 1), *dec = gcm_new(key, 0);
	static uint8_t pktv[SOCKS][PACKET];
	double t;

	*protect_s = *unprotect_s = INFINITY;
	for (int r = 0; r < ROUNDS; r++) {
		for (int i = 0; i < SOCKS; i++)
			memcpy(pktv[i] + 2, &i, sizeof(i));
		t = cpu_s();
		for (int i = 0; i < SOCKS; i++)
			gcm(enc, pktv[i], 1);
		*protect_s = min(*protect_s, (cpu_s() - t) / (double)SOCKS);

		t = cpu_s();
		for (int i = 0; i < SOCKS; i++)
			gcm(dec, pktv[i], 0);
		*unprotect_s = min(*unprotect_s, (cpu_s() - t) / (double)SOCKS);
	}

	EVP_CIPHER_CTX_free(enc);
	EVP_CIPHER_CTX_free(dec);
}


/* ---- Opus ---------------------------------------------------------------- */

static void opus(double *enc_s, double *dec_s)
{
	OpusEncoder *enc = opus_encoder_create(48000, 1,
					       OPUS_APPLICATION_AUDIO, NULL);
	OpusDecoder *dec = opus_decoder_create(48000, 1, NULL);
	static int16_t pcm[FRAME * FRAMES];
	static uint8_t pay[FRAMES][400];
	opus_int32 lenv[FRAMES];
	double t;

	if (!enc || !dec)
		exit(1);
	opus_encoder_ctl(enc, OPUS_SET_BITRATE(32000));
	opus_encoder_ctl(enc, OPUS_SET_COMPLEXITY(7));
	for (int i = 0; i < FRAME * FRAMES; i++)
		pcm[i] = (int16_t)(8000 * sin(0.05 * i) + 6000 * sin(0.11 * i));

	*enc_s = *dec_s = INFINITY;
	for (int r = 0; r < REPEAT; r++) {
		t = cpu_s();
		for (int i = 0; i < FRAMES; i++)
			lenv[i] = opus_encode(enc, pcm + i * FRAME, FRAME,
					      pay[i], sizeof(pay[i]));
		*enc_s = min(*enc_s, (cpu_s() - t) / (double)FRAMES);

		t = cpu_s();
		for (int i = 0; i < FRAMES; i++) {
			if (opus_decode(dec, pay[i], lenv[i], pcm + i * FRAME,
					FRAME, 0) != FRAME)
				exit(1);
		}
		*dec_s = min(*dec_s, (cpu_s() - t) / (double)FRAMES);
	}

	opus_encoder_destroy(enc);
	opus_decoder_destroy(dec);
}


int main(void)
{
	double tx, rx, protect, unprotect, enc, dec;

	udp(&tx, &rx);
	srtp_by_hand(&protect, &unprotect);
	opus(&enc, &dec);

	printf("{\"send_us\": %.3f, \"receive_us\": %.3f, \"protect_us\": %.3f,"
	       " \"unprotect_us\": %.3f, \"opus_encode_us\": %.1f,"
	       " \"opus_decode_us\": %.1f}\n", tx * 1e6, rx * 1e6,
	       protect * 1e6, unprotect * 1e6, enc * 1e6, dec * 1e6);

	return 0;
}
