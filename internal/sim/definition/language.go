package definition

import "strings"

// languages are the codes WhatsApp has, and the regional variants its own pages offer without listing them.
var languages = func() map[string]bool {
	set := map[string]bool{}
	for _, code := range strings.Fields(`
		af sq ar ar_AE ar_EG ar_LB ar_MA ar_QA ar_SA az bn bg ca zh_CN zh_HK zh_TW hr cs da nl en en_AU en_CA en_GB en_IN en_US et fil fi
		fr fr_BE fr_CA ka de el gu ha he hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv lt mk ms ml mr nb fa pl pt_BR pt_PT pa ro ru sr sk
		sl es es_AR es_CL es_CO es_ES es_MX es_PE es_VE sw sv ta te th tr uk ur uz vi zu
		be_BY bn_IN de_AT de_CH en_AE en_GH en_IE en_JM en_MY en_NZ en_QA en_SG en_UG en_ZA es_CR es_DO es_EC es_HN es_PA es_UY fr_CH
		fr_CI fr_MA nl_BE prs_AF ps_AF si_LK`) {
		set[code] = true
	}
	return set
}()
